import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { messageOf, prepareOf, pushedNode, sha256 } from './host.ts';

const NEW = messageOf(1, 'new\n');
const BAD = messageOf(1, 'bad\n');

test('checked, installed, reloaded, kept: the journal is there as long as it is open', async (t) => {
  const { push, host, state, journal, pushed } = pushedNode(t);
  t.deepEqual(await push.prepare(prepareOf(NEW)), {
    node: 'haproxy01',
    number: 1,
    already: false,
    lines: [],
  });
  t.like(await push.open(), { phase: 'prepared', number: 1, digest: sha256('old\n') });
  await push.install('one');
  t.like(await push.open(), { phase: 'committed' });
  t.deepEqual(await push.state('one', 1), { phase: 'committed' });
  await push.keep('one');
  t.is(await journal.read(), null);
  t.deepEqual(
    [host.text, state.running, state.reloads, host.state.state],
    ['new\n', 'new\n', 1, 'kept'],
  );
  t.deepEqual(host.asked, ['lists', 'check', 'lists', 'install', 'keep']);
  t.deepEqual(
    pushed.map(({ number, actor }) => [number, actor]),
    [[1, 'anna']],
  );
  t.deepEqual(await push.state('one', 1), { phase: 'finished' });
  t.deepEqual(await push.state('other', 2), { phase: 'unknown' });
});

test('what does not serve is put back at once, and HAProxy has the old one again', async (t) => {
  const { push, host, state } = pushedNode(t);
  await push.prepare(prepareOf(BAD));
  await t.throwsAsync(push.install('one'), { message: 'haproxy01 does not serve' });
  t.deepEqual([host.text, state.running, host.state.state], ['old\n', 'old\n', 'back']);
  t.like(await push.open(), { phase: 'aborted' });
  await push.back('one');
  await push.forget('one');
  t.is(await push.open(), null);
});

test('what root cannot put back is said so, and is put back later', async (t) => {
  const { push, host, make } = pushedNode(t);
  await push.prepare(prepareOf(BAD));
  host.answers.back = { kind: 'failed', why: 'no room' };
  await t.throwsAsync(push.install('one'), {
    message: 'haproxy01 does not serve; haproxy01 does not take it: no room',
  });
  t.like(await push.open(), { phase: 'aborting' });
  delete host.answers.back;
  // Another agent, after a crash.
  await make().back('one');
  t.is(host.text, 'old\n');
});

test('it has it already: nothing is touched, and nothing is told', async (t) => {
  const { push, host, state, pushed } = pushedNode(t, { text: 'new\n' });
  t.true((await push.prepare(prepareOf(NEW))).already);
  await push.install('one');
  await push.keep('one');
  t.deepEqual([host.asked, state.reloads, pushed], [['lists', 'check'], 0, []]);
});

test('refused by the check, by root, or where HAProxy is down: nothing is open afterwards', async (t) => {
  const { push, host, state, journal } = pushedNode(t);
  host.answers.check = {
    kind: 'unsound',
    why: 'exit 1',
    lines: ['[NOTICE] a', '[ALERT] b', '[ALERT] c'],
  };
  const unsound = await t.throwsAsync(push.prepare(prepareOf(NEW)));
  t.like(unsound, {
    outcome: 'failed',
    detail: { code: 'config_unsound', cause: '[ALERT] b; [ALERT] c' },
  });
  host.answers.check = { kind: 'refused', why: 'revoked' };
  t.like(await t.throwsAsync(push.prepare(prepareOf(NEW))), {
    message: 'haproxy01 does not take it: revoked',
  });
  delete host.answers.check;
  state.haproxy = { ...state.haproxy, state: 'down' };
  t.like(await t.throwsAsync(push.prepare(prepareOf(NEW))), { detail: { code: 'haproxy_not_up' } });
  host.refuses = 'root does not allow it';
  t.like(await t.throwsAsync(push.prepare(prepareOf(NEW))), {
    message: 'haproxy01: root does not allow it',
  });
  t.like(await t.throwsAsync(push.prepare(prepareOf(Buffer.from('hello')))), { outcome: 'usage' });
  t.is(await journal.read(), null);
  t.is(host.text, 'old\n');
});

test('a second one is refused while the first is open, by whom and why; a dry run leaves nothing', async (t) => {
  const { push, journal } = pushedNode(t);
  await push.prepare(prepareOf(NEW, { dryRun: true }));
  t.is(await journal.read(), null);
  await push.prepare(prepareOf(NEW));
  // Said twice it is the same.
  await push.prepare(prepareOf(NEW));
  const second = await t.throwsAsync(push.prepare(prepareOf(NEW, { pushId: 'two' })));
  t.like(second, {
    outcome: 'conflict',
    message: "anna's push of version 1 is open on haproxy01",
    detail: { cause: 'it is prepared: more room' },
  });
});

test('one that is decided and that root takes no more here gives way to the next push', async (t) => {
  const { push, host, journal } = pushedNode(t);
  await push.prepare(prepareOf(NEW));
  host.answers.install = { kind: 'refused', why: 'its time was over 900 s ago' };
  await t.throwsAsync(push.complete('one'), { message: /its time was over/ });
  t.like(await journal.read(), { pushId: 'one', decided: true });
  delete host.answers.install;
  const next = prepareOf(messageOf(2, 'newer\n'), { pushId: 'two' });
  await push.prepare({ ...next, dryRun: true });
  t.like(await journal.read(), { pushId: 'one' }, 'a dry run changes nothing');
  await push.prepare(next);
  await push.install('two');
  await push.keep('two');
  t.deepEqual([host.text, await push.open()], ['newer\n', null]);
  // What root has of it is not forgotten for another.
  const second = pushedNode(t);
  await second.push.prepare(prepareOf(BAD));
  await t.throwsAsync(second.push.complete('one'), { message: 'haproxy01 does not serve' });
  t.like(await t.throwsAsync(second.push.prepare(next)), { detail: { code: 'push_open' } });
});

test('changed by hand since the last push: refused, unless that is accepted', async (t) => {
  const { push, host } = pushedNode(t);
  await push.prepare(prepareOf(NEW));
  await push.install('one');
  await push.keep('one');
  host.text = 'by hand\n';
  const next = prepareOf(messageOf(2, 'newer\n'), { pushId: 'two' });
  t.like(await t.throwsAsync(push.prepare(next)), {
    outcome: 'unsafe',
    message: '/etc/haproxy.conf was changed on haproxy01 since the last push',
    detail: { code: 'local_changes' },
  });
  await push.prepare({ ...next, acceptRisks: ['local-changes'] });
  // Somebody is quicker: what they did is not lost.
  host.text = 'by hand again\n';
  await t.throwsAsync(push.install('two'), { message: /somebody has changed it meanwhile/ });
  t.is(host.text, 'by hand again\n');
});

test('killed at any step, one that was decided is completed and one that was not is put back', async (t) => {
  for (const [step, completed] of [
    ['prepared', true],
    ['prepared', false],
    ['committing', true],
    ['committing', false],
    ['installed', true],
    ['installed', false],
    ['committed', true],
    ['committed', false],
  ] as const) {
    const one = pushedNode(t);
    await one.push.prepare(prepareOf(NEW));
    const entry = await one.journal.read();
    if (entry === null) throw new Error('no journal');
    if (step === 'committing') await one.journal.write({ ...entry, phase: 'committing' });
    if (step === 'installed' || step === 'committed') await one.push.install('one');
    // Root has it, and nobody has seen HAProxy with it.
    if (step === 'installed') await one.journal.write({ ...entry, phase: 'committing' });
    const again = one.make();
    if (completed) await again.complete('one');
    else await again.back('one');
    t.deepEqual(
      [one.host.text, one.state.running],
      completed ? ['new\n', 'new\n'] : ['old\n', 'old\n'],
      `${step}, ${completed}`,
    );
    if (completed) t.is(await again.open(), null);
    else t.like(await again.open(), { phase: step === 'prepared' ? 'aborted' : 'aborted' });
    // Whatever is asked once more changes nothing.
    await again.back('one');
    t.is(one.host.text, completed ? 'new\n' : 'old\n');
  }
});

test('a journal that is not whole is set aside and named, and its push is not guessed', async (t) => {
  const { push, folder } = pushedNode(t);
  await push.prepare(prepareOf(NEW));
  writeFileSync(join(folder, 'push/push.json'), '{"version":1');
  await t.throwsAsync(push.open(), { message: /damaged, set aside as push\.json\.damaged/ });
  t.is(await push.open(), null);
});

test('one that was decided elsewhere and does not serve here is tried again, and not taken back', async (t) => {
  const bad = ['new\n'];
  const { push, host, state, make } = pushedNode(t, { bad });
  await push.prepare(prepareOf(NEW));
  await t.throwsAsync(push.complete('one'), { message: 'haproxy01 does not serve' });
  t.like(await push.open(), { phase: 'committing', decided: true });
  t.deepEqual([host.text, host.state.state], ['new\n', 'pending']);
  bad.pop();
  // Another agent, after a crash.
  await make().complete('one');
  t.deepEqual([host.text, host.state.state, state.running], ['new\n', 'kept', 'new\n']);
});
