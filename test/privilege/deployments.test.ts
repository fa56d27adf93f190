import { lstatSync, readFileSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { helperDeployments, noDeployments } from '../../agent/privilege/deployments.ts';
import { HelperError, type Helper } from '../../agent/privilege/helper.ts';
import { takenOver } from './hostile.ts';
import { asRoot } from './somebody.ts';

/** A helper that notes what it is asked, and answers with these lines or this error. */
function noted(answer: readonly string[] | Error = []) {
  const asked: unknown[] = [];
  const helper: Helper = {
    pid: 7,
    ask(words, limitMs, content) {
      asked.push([words.join(' '), limitMs, ...(content === undefined ? [] : [String(content)])]);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    ended: new Promise(() => undefined),
    hung: new Promise(() => undefined),
    close: () => undefined,
  };
  return { asked, deployments: helperDeployments(helper) };
}

test('each is one request, with the length in bytes of what follows', async (t) => {
  const { asked, deployments } = noted(['a']);
  const message = Buffer.from('m\u00e4');
  const done = { kind: 'done', lines: ['a'] };
  t.deepEqual(
    [
      await deployments.check(message),
      await deployments.install(message, null),
      await deployments.install(message, 'd1'),
      await deployments.back(5),
      await deployments.keep(5),
      await deployments.revocations('list'),
      await deployments.revocations(''),
    ],
    [done, done, done, done, done, undefined, undefined],
  );
  t.deepEqual(asked, [
    ['deploy-check 3', 45_000, 'm\u00e4'],
    ['deploy-install 3', 45_000, 'm\u00e4'],
    ['deploy-install 3 d1', 45_000, 'm\u00e4'],
    ['deploy-back 5', 45_000],
    ['deploy-keep 5', 45_000],
    ['deploy-crl 4', 45_000, 'list'],
  ]);
});

test('a no of root, one of HAProxy, no room, and no answer are told apart', async (t) => {
  const words = ['deploy-check', '3'];
  const answers = [
    new HelperError(words, 'refused', 'refused: signed by a node; only: an operator'),
    new HelperError(words, 'failed', 'failed: check: exit 1\n[ALERT] x\n[ALERT] y'),
    new HelperError(words, 'failed', 'failed: no room in /d'),
    new HelperError(words, 'silent', 'no answer within 45000 ms'),
    new HelperError(words, 'ended', 'it has ended'),
  ].map((error) => noted(error).deployments.check(Buffer.from('abc')));
  t.deepEqual(await Promise.all(answers), [
    { kind: 'refused', why: 'signed by a node; only: an operator' },
    { kind: 'unsound', why: 'exit 1', lines: ['[ALERT] x', '[ALERT] y'] },
    { kind: 'failed', why: 'no room in /d' },
    { kind: 'unknown', why: 'no answer within 45000 ms' },
    { kind: 'unknown', why: 'it has ended' },
  ]);
  await t.throwsAsync(noted(new Error('other')).deployments.check(Buffer.from('a')), {
    message: 'other',
  });
});

test('what is too long is not sent', async (t) => {
  const { asked, deployments } = noted();
  t.deepEqual(await deployments.install(Buffer.alloc(4_100_001), null), {
    kind: 'refused',
    why: 'it has 4100001 bytes; at most 4100000 are taken',
  });
  await t.throwsAsync(deployments.revocations('x'.repeat((1 << 20) + 1)), {
    message: 'revocation lists of 1048577 bytes; at most 1048576 are taken',
  });
  t.deepEqual(asked, []);
});

test('what a check prints names the file that it will be, and has an end', async (t) => {
  const line =
    'parsing [/etc/.haproxy.conf.proxyctl-123:4]: /etc/.conf.d.proxyctl-9/1.cfg\tx\u001b[2J';
  const lines = [line, ...Array.from({ length: 300 }, () => 'y'.repeat(2000))];
  const answer = await noted(lines).deployments.check(Buffer.from('a'));
  t.deepEqual(answer, {
    kind: 'done',
    lines: [
      'parsing [/etc/haproxy.conf:4]: /etc/conf.d/1.cfg x?[2J',
      ...Array.from({ length: 199 }, () => 'y'.repeat(1000)),
    ],
  });
});

test('what is known is read, and a message comes as it was', async (t) => {
  const version = 'number 7\nwho al\nmade 5\ninstalled 6\ndigest d\nbefore b\nreason a  b\u007f';
  const lines = ['now d', 'form directory', 'last 7', 'state kept', ...version.split('\n')];
  t.deepEqual(await noted(lines).deployments.state(), {
    digest: 'd',
    form: 'directory',
    last: 7,
    state: 'kept',
    versions: [
      { number: 7, who: 'al', madeS: 5, installedS: 6, digest: 'd', before: 'b', reason: 'a  b?' },
    ],
  });
  t.deepEqual(
    await noted([' 30 82', ' 00 ff']).deployments.message(7),
    Buffer.from('308200ff', 'hex'),
  );
});

test('where root allows nothing all is refused with the reason', async (t) => {
  const deployments = noDeployments('not here');
  const refused = { kind: 'refused', why: 'not here' };
  const message = Buffer.from('m');
  t.deepEqual(
    [
      deployments.refuses,
      await deployments.check(message),
      await deployments.install(message, null),
      await deployments.back(1),
      await deployments.keep(1),
      await deployments.revocations('list'),
    ],
    ['not here', refused, refused, refused, refused, undefined],
  );
  for (const asked of [deployments.state(), deployments.message(1)])
    await t.throwsAsync(asked, { message: 'not here' });
});

for (const user of ['nobody', 'root'])
  asRoot(`root alone has what is deployed where agent.toml allows it: user ${user}`, async (t) => {
    const host = await takenOver(t, user);
    if (user === 'root') host.toRoot();
    await host.agent('--release');
    t.throws(() => lstatSync(`${host.state}-deployed`));
    const toml = readFileSync(host.config, 'utf8');
    const check = `check = ["/bin/true", "${host.folder}/haproxy.conf"]`;
    writeFileSync(host.config, toml.replace('haproxy = {', `haproxy = { deploy = true, ${check},`));
    const { code, said } = await host.agent('--release');
    t.is(code, 0, said);
    const { uid, mode } = lstatSync(`${host.state}-deployed`);
    t.deepEqual([uid, (mode & 0o7777).toString(8)], [0, '700']);
  });
