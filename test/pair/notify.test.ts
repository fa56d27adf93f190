import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { calm, eventually, exitOf, asAtFirst, fault, nodeAt, scene } from './scene.ts';

const { test, lab } = scene({ maxMoves: 100, notify: true });

/** A stand-in of sendmail(8) that adds each mail to a file, after so many seconds. */
function sendmail(seconds: number): void {
  const path = join(lab().runtime, 'sendmail');
  const file = join(lab().runtime, 'mails');
  // One write: two of them may run at once.
  const started = join(lab().runtime, 'started');
  const lines = ['#!/bin/sh', `touch ${started}`, `sleep ${seconds}`, 'mail=$(cat)'];
  // One write: two of them may run at once.
  writeFileSync(path, `${lines.join('\n')}\nprintf '%s\\n\\n' "$mail" >> ${file}\n`);
  chmodSync(path, 0o755);
  writeFileSync(file, '', { flag: 'a' });
}

interface Mail {
  readonly from: string;
  readonly subject: string;
}

const mails = (): Mail[] => {
  const text = readFileSync(join(lab().runtime, 'mails'), 'utf8');
  const froms = [...text.matchAll(/^From: ([^@\n]+)@/gm)].map(([, from = '']) => from);
  const subjects = [...text.matchAll(/^Subject: (.*)$/gm)].map(([, one = '']) => one);
  return subjects.map((subject, at) => ({ from: froms[at] ?? '', subject }));
};
/** Everything told since, subjects and bodies alike: a storm is one mail with a list. */
const textSince = (length: number): string =>
  readFileSync(join(lab().runtime, 'mails'), 'utf8').slice(length);
const size = (): number => textSince(0).length;
const times = (text: string, word: string): number => text.split(word).length - 1;

/** Resolves within ten seconds with what was told since, once it has all of these; each is there once. */
async function told(from: number, ...words: readonly string[]): Promise<string> {
  try {
    await eventually(
      'it is told',
      () => words.every((one) => textSince(from).includes(one)),
      10_000,
    );
  } catch (cause) {
    throw new Error(`of ${words.join('; ')} there is only:\n${textSince(from)}`, { cause });
  }
  return textSince(from);
}

test('a test goes through each node', async (t) => {
  sendmail(0);
  await calm(lab());
  t.is(await exitOf(lab(), 'notify', 'test'), 0);
  t.deepEqual(
    mails()
      .filter(({ subject }) => subject.includes('test from'))
      .map(({ from, subject }) => `${from} ${subject.replace(/^\[[^\]]*\]/, '')}`)
      .sort(),
    lab().nodes.map(({ name }) => `${name}  test from ${name}`),
  );
  t.is(await exitOf(lab(), 'notify', 'test', 'nobody'), 8);
});

test('a pause, a dead HAProxy and the move are mailed within ten seconds, once over the pair, with their end', async (t) => {
  const [first, second] = [nodeAt(lab(), 0), nodeAt(lab(), 1)];
  const start = size();
  t.is(await exitOf(lab(), 'pause', '--reason', 'switch work'), 0);
  t.is(await exitOf(lab(), 'resume'), 0);
  await told(start, 'pause of automation', 'resume of automation');

  const dead = size();
  await fault(lab(), 'kill-haproxy', 'on', first);
  await told(dead, 'warn: haproxy-down haproxy on', `to ${second.name}: HAProxy is down`);
  const back = size();
  await fault(lab(), 'kill-haproxy', 'off', first);
  await told(back, 'over: haproxy-down haproxy on', `to ${first.name}: failback`);
  await calm(lab());
  const words = ['pause of automation', 'resume of automation', 'warn: haproxy-down haproxy']
    .concat('over: haproxy-down haproxy', `to ${second.name}: HAProxy is down`)
    .concat(`to ${first.name}: failback`);
  const subjects = mails().map(({ subject }) => subject);
  t.deepEqual(
    words.map((word) => subjects.filter((one) => one.includes(word)).length),
    words.map(() => 1),
    subjects.join('\n'),
  );
  t.deepEqual(
    [
      ...new Set(
        mails()
          .slice(-6)
          .map(({ from }) => from),
      ),
    ],
    [first.name],
  );
});

test('the telling node is killed while it tells: the other tells, and its return is told too', async (t) => {
  const [first, second] = [nodeAt(lab(), 0), nodeAt(lab(), 1)];
  sendmail(3);
  rmSync(join(lab().runtime, 'started'), { force: true });
  const start = size();
  await fault(lab(), 'kill-haproxy', 'on', second);
  await eventually('it is being told', () => existsSync(join(lab().runtime, 'started')), 10_000);
  await fault(lab(), 'kill-agent', 'on', first);
  sendmail(0);
  const text = await told(
    start,
    'haproxy-down haproxy on',
    `not-heard ${first.name} on ${second.name}`,
  );
  // Once or, at worst, once more.
  t.true([2, 4].includes(times(text, 'warn: haproxy-down haproxy on')), text);
  await fault(lab(), 'kill-agent', 'off', first);
  await fault(lab(), 'kill-haproxy', 'off', second);
  await told(start, 'over: haproxy-down haproxy on', `over: not-heard ${first.name} on`);
  await asAtFirst(lab());
});
