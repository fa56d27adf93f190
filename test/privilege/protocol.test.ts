import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { KnownVhid } from '../../agent/carp/acts.ts';
import { accountOf, groupsOf } from '../../agent/privilege/account.ts';
import { helperActs, helperFiles, readByHelper, refusedActs } from '../../agent/privilege/acts.ts';
import { directCommands, helperCommands } from '../../agent/privilege/commands.ts';
import { doubtOf } from '../../agent/privilege/doubt.ts';
import { HelperError, startHelper, type Helper } from '../../agent/privilege/helper.ts';
import { helperWill } from '../../agent/privilege/will.ts';
import { CommandError, type Exec } from '../../agent/sys/exec.ts';

/** A helper that notes what it is asked, and answers with these lines or this error. */
function noted(answer: readonly string[] | Error = []) {
  const asked: unknown[] = [];
  const helper: Helper = {
    pid: 7,
    ask(words, limitMs, content = '') {
      asked.push([words.join(' '), limitMs, ...(content === '' ? [] : [content])]);
      return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
    },
    ended: new Promise(() => undefined),
    hung: new Promise(() => undefined),
    close: () => undefined,
  };
  return { asked, helper };
}
const vhid = (name: string, number: number, isVrrp = false): KnownVhid => ({
  interface: name,
  vhid: number,
  isVrrp,
  peer: null,
  peer6: null,
});

test('sets are one request, with two seconds more for each further interface', async (t) => {
  const { asked, helper } = noted();
  const acts = helperActs(helper);
  await acts.set([{ vhid: vhid('em0', 1), change: { advskew: 5, state: 'MASTER' } }]);
  await acts.set([
    { vhid: vhid('em0', 1), change: { advskew: 254 } },
    { vhid: vhid('em0', 2), change: { state: 'BACKUP' } },
    { vhid: vhid('em1', 3, true), change: { advskew: 254 } },
  ]);
  await acts.set([]);
  await acts.set([{ vhid: vhid('em0', 1), change: {} }]);
  t.deepEqual(asked, [
    ['advskew em0 1 5 state em0 1 master', 5000],
    ['advskew em0 1 254 state em0 2 backup vrrpprio em1 3 1', 7000],
  ]);
});

test('the other acts are one word each, and telling names an interface and its vhids', async (t) => {
  const { asked, helper } = noted();
  const acts = helperActs(helper);
  await acts.advertise();
  await acts.allow(true);
  await acts.allow(false);
  await acts.tell('em0', [1, 12]);
  t.deepEqual(asked, [
    ['advertise', 5000],
    ['allow 1', 5000],
    ['allow 0', 5000],
    ['tell em0 1 12', 7000],
  ]);
});

test('why nobody was told is said of the host, not of its vhids', async (t) => {
  const tell = async (error: Error): Promise<string | undefined> =>
    (await t.throwsAsync(helperActs(noted(error).helper).tell('em0', [1])))?.message;
  const asked = ['tell', 'em0', '1'];
  t.is(await tell(new HelperError(asked, 'failed', 'failed: no link-local')), 'no link-local');
  t.is(await tell(new HelperError(asked, 'ended', 'it has ended')), 'it has ended');
  t.is(await tell(new Error('something else')), 'something else');
});

test('without rights every act is refused with the reason', async (t) => {
  const acts = refusedActs('it only observes');
  for (const act of [
    () => acts.set([]),
    () => acts.advertise(),
    () => acts.allow(true),
    () => acts.tell('em0', []),
  ])
    t.is((await t.throwsAsync(act))?.message, 'it only observes');
});

test('files are given with their length in bytes, tried before they are written', async (t) => {
  const { asked, helper } = noted();
  const files = helperFiles(helper);
  const both = [
    { path: '/c/a.pem', pem: 'ä' },
    { path: '/c/b.pem', pem: 'bb' },
  ];
  await files.stage(both);
  await files.install(both.slice(1));
  await files.unstage([]);
  await files.remove('/c/a.pem');
  t.deepEqual(asked, [
    ['cert-try /c/a.pem 2', 35_000, 'ä'],
    ['cert-try /c/b.pem 2', 35_000, 'bb'],
    ['cert-write /c/b.pem 2', 35_000, 'bb'],
    ['cert-remove /c/a.pem', 35_000],
  ]);
});

test('a file that the helper reads comes as the bytes that od prints', async (t) => {
  const { asked, helper } = noted([' 41 c3 a4', ' 0a']);
  t.is(await readByHelper(helper, '/c/a.pem'), 'Aä\n');
  t.deepEqual(asked, [['cert-read /c/a.pem', 35_000]]);
});

test('a file that is not there is the same error as without the helper; any other stays', async (t) => {
  const words = ['cert-read', '/c/a.pem'];
  const read = (error: Error) => t.throwsAsync(readByHelper(noted(error).helper, '/c/a.pem'));
  const missing = await read(new HelperError(words, 'failed', 'failed: no such file'));
  t.like(missing, {
    name: 'CertificateFileError',
    code: 'ENOENT',
    message: 'read /c/a.pem: ENOENT',
  });
  for (const error of [
    new HelperError(words, 'failed', 'failed: od'),
    new Error('x: failed: no such file'),
  ])
    t.is(await read(error), error);
});

test('a file that is there is read without the helper, and what is missing is missing', async (t) => {
  const { asked, helper } = noted();
  const path = join(folderOf(t), 'a.pem');
  writeFileSync(path, 'mine');
  t.is(await helperFiles(helper).read(path), 'mine');
  const error = await t.throwsAsync(helperFiles(helper).read(`${path}.no`));
  t.like(error, { code: 'ENOENT' });
  t.deepEqual(asked, []);
});

test('commands of the host are one verb each, and their lines come as they were printed', async (t) => {
  const { asked, helper } = noted(['one', 'two']);
  const commands = helperCommands(helper);
  for (const run of Object.values(commands)) t.is(await run(), 'one\ntwo\n');
  t.deepEqual(asked, [
    ['pf-info', 35_000],
    ['pf-rules', 35_000],
    ['pf-interfaces', 35_000],
    ['rc-lines', 35_000],
    ['processes', 1000],
    ['check', 35_000],
    ['reload', 35_000],
  ]);
});

test('without a helper the commands run as they are configured', async (t) => {
  const exec: Exec = (file, args) => Promise.resolve([file, ...args].join(' '));
  const commands = directCommands(exec, '/sbin/pfctl', {
    check: ['haproxy', '-c'],
    reload: [],
  });
  t.deepEqual(
    await Promise.all([
      commands.pfInfo(),
      commands.pfRules(),
      commands.pfInterfaces(),
      commands.check(),
    ]),
    ['/sbin/pfctl -s info', '/sbin/pfctl -sr', '/sbin/pfctl -sI -v', 'haproxy -c'],
  );
  t.is((await t.throwsAsync(commands.reload())).message, 'not configured in agent.toml');
  t.is(
    (await t.throwsAsync(commands.rcLines())).message,
    '/etc/rc.conf cannot be read as this user',
  );
});

test('a will is said once, again when it changed or was not taken', async (t) => {
  const { asked, helper } = noted();
  const will = helperWill(helper);
  const one = [{ interface: 'em0', vhid: 1 }];
  await will(9, one);
  await will(9, one);
  await will(9, [...one, { interface: 'em1', vhid: 2 }]);
  await will(9, []);
  t.deepEqual(asked, [
    ['will 9 em0 1', 5000],
    ['will 9 em0 1 em1 2', 5000],
    ['will 9', 5000],
  ]);
  const deaf = noted(new Error('silent'));
  const unsaid = helperWill(deaf.helper);
  await t.throwsAsync(unsaid(9, one));
  await t.throwsAsync(unsaid(9, one), { message: 'silent' });
  t.is(deaf.asked.length, 2);
});

function folderOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'protocol-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const ANSWERS = `while read -r number verb rest; do
  case $verb in
  args) for one in "$@"; do printf ' %s\\n' "$(printf %s "$one" | tr '\\n' '|')"; done; echo "$number ok" ;;
  echo) printf ' %s\\n' "$rest"; echo 'no answer'; echo "99 ok"; echo "$number ok" ;;
  no) echo "$number refused not that" ;;
  fails) echo ' its words'; echo "$number failed 3" ;;
  late) later=$number ;;
  both) echo "$number ok"; echo "$later ok" ;;
  content) head -c "$rest" | od -An -c; echo "$number ok" ;;
  end) exit 0 ;;
  esac
done
`;

/** A helper whose script answers by the table above; `begins`: what it says first. */
async function started(t: ExecutionContext, begins = 'echo "0 ok"\n', hangMs = 60_000) {
  const script = join(folderOf(t), 'helper.sh');
  writeFileSync(script, `${begins}${ANSWERS}`);
  const helper = await startHelper(OPTIONS, script, hangMs);
  t.teardown(() => helper.close());
  return helper;
}
const OPTIONS = {
  ifconfig: '/ifconfig',
  sysctl: '/sysctl',
  pfctl: '/pfctl',
  ngctl: '/ngctl',
  directories: ['/c', '/d'],
  lists: ['/l'],
  named: ['/n'],
  check: ['haproxy', '-c'],
  reload: ['service', 'haproxy', 'reload'],
  deploy: null,
};
const WAIT_MS = 20_000;

test('the helper is started with its tools, then lists of one word a line', async (t) => {
  const helper = await started(t);
  t.true(helper.pid > 1);
  t.deepEqual(await helper.ask(['args'], WAIT_MS), [
    '/ifconfig',
    '/sysctl',
    '/pfctl',
    '/c|/d',
    'haproxy|-c',
    'service|haproxy|reload',
    '/ngctl',
    '/l',
    '/n',
    '',
  ]);
});

test('an answer is the lines before its number; lines of nobody are dropped', async (t) => {
  const helper = await started(t);
  t.deepEqual(await helper.ask(['echo', 'a', 'b'], WAIT_MS), ['a b']);
  t.deepEqual(await helper.ask(['echo', 'c'], WAIT_MS), ['c']);
});

test('refused, failed and ended are told apart, each with what was asked and what it said', async (t) => {
  const helper = await started(t);
  const fails = async (...words: readonly string[]) => {
    const error = await t.throwsAsync(helper.ask(words, WAIT_MS), { instanceOf: HelperError });
    return [error?.failure, error?.message];
  };
  t.deepEqual(await fails('no', 'x'), ['refused', 'privileged helper, no x: refused: not that']);
  t.deepEqual(await fails('fails'), ['failed', 'privileged helper, fails: failed: 3\nits words']);
  t.deepEqual(await fails('a;b'), [
    'refused',
    'privileged helper, a;b: refused: a character that no verb needs',
  ]);
  t.deepEqual(await fails('args', 'x'.repeat(65_000)), [
    'refused',
    'privileged helper, args: refused: too long',
  ]);
  t.deepEqual(await fails('end'), ['ended', 'privileged helper, end: it has ended']);
  await helper.ended;
  t.deepEqual(await fails('args'), ['ended', 'privileged helper, args: it has ended']);
});

test('answers find their requests in any order, and the longest request is let through', async (t) => {
  const helper = await started(t);
  const late = helper.ask(['late'], WAIT_MS);
  await helper.ask(['both'], WAIT_MS);
  t.deepEqual(await late, []);
  const long = 'x'.repeat(65_000 - 'echo '.length);
  t.deepEqual(await helper.ask(['echo', long], WAIT_MS), [long]);
});

test('no answer within the limit is silence, and what follows is answered', async (t) => {
  const helper = await started(t);
  const error = await t.throwsAsync(helper.ask(['late'], 50), { instanceOf: HelperError });
  t.deepEqual(
    [error?.failure, error?.message],
    ['silent', 'privileged helper, late: no answer within 50 ms'],
  );
  t.deepEqual(await helper.ask(['echo', 'a'], WAIT_MS), ['a']);
});

test('one that answers nothing more is given up; one that answers others, or is asked nothing, is not', async (t) => {
  const [quiet, busy, idle] = await Promise.all([1, 2, 3].map(() => started(t, undefined, 400)));
  const hangs: string[] = [];
  void busy?.hung.then(() => hangs.push('busy'));
  void idle?.hung.then(() => hangs.push('idle'));
  busy?.ask(['late'], WAIT_MS).catch(() => undefined);
  const again = setInterval(() => void busy?.ask(['echo', 'a'], WAIT_MS), 20);
  await t.throwsAsync(quiet?.ask(['late'], 50) ?? Promise.resolve(), { instanceOf: HelperError });
  await quiet?.hung;
  clearInterval(again);
  t.deepEqual(hangs, []);
});

test('content follows its request, and what is asked meanwhile waits', async (t) => {
  const helper = await started(t);
  const [given, next] = await Promise.all([
    helper.ask(['content', '3'], WAIT_MS, 'abc'),
    helper.ask(['echo', 'a'], WAIT_MS),
  ]);
  t.deepEqual([given.map((line) => line.replaceAll(' ', '')), next], [['abc'], ['a']]);
});

test('a helper that says no at its start, or a path over two lines, is no start', async (t) => {
  const said = await t.throwsAsync(started(t, 'echo "0 refused no shell"\nexit 0\n'));
  t.is(said.message, 'privileged helper, start: refused: no shell');
  const lines = await t.throwsAsync(startHelper({ ...OPTIONS, named: ['/a\n/b'] }));
  t.is(lines.message, 'a path or command of agent.toml holds a line break');
});

/** id(1) and ps(1) by a table: what each command line prints; any other fails as `kind` says. */
const table =
  (said: Readonly<Record<string, string>>, kind: 'exit' | 'timeout' = 'exit'): Exec =>
  (file, args) => {
    const line = [file, ...args].join(' ');
    const failure = kind === 'exit' ? { kind, code: 1 } : { kind, afterMs: 5 };
    return line in said
      ? Promise.resolve(said[line] ?? '')
      : Promise.reject(new CommandError([line], failure, ''));
  };

test('an account has a name, a user and a group; root is none', async (t) => {
  const ids = (uid: string) =>
    table({ '/usr/bin/id -u web': `${uid}\n`, '/usr/bin/id -g web': '5\n' });
  t.deepEqual(await accountOf(ids('4'), 'web'), { name: 'web', uid: 4, gid: 5 });
  t.is(await accountOf(ids('0'), 'web'), null);
  const wheel = table({ '/usr/bin/id -u web': '4\n', '/usr/bin/id -g web': '0\n' });
  t.deepEqual(await accountOf(wheel, 'web'), { name: 'web', uid: 4, gid: 0 });
  const late = await t.throwsAsync(accountOf(table({}, 'timeout'), 'web'));
  t.true(late instanceof CommandError, 'that id did not answer says nothing of the account');
  const broken = new Error('broken');
  t.is(await t.throwsAsync(accountOf(() => Promise.reject(broken), 'web')), broken);
});

test('the groups of an account, its own first and each once', async (t) => {
  const exec = table({ '/usr/bin/id -G web': ' 7 5 9 7\n' });
  t.deepEqual(await groupsOf(exec, { name: 'web', uid: 4, gid: 5 }), [5, 7, 9]);
});

test('a process is believed that is haproxy and runs as root or as the user of its own files', async (t) => {
  const folder = folderOf(t);
  const config = join(folder, 'haproxy.conf');
  writeFileSync(config, 'global\n  user www # who\n  uid 81\n');
  const doubt = (ps: string | null, mayWrite = false) =>
    doubtOf({
      pid: 9,
      files: [config],
      exec: table({
        ...(ps === null ? {} : { 'ps -o uid=,ruid=,comm= -p 9': ps }),
        '/usr/bin/id -u www': '80\n',
      }),
      uid: 64_001,
      mayWrite: () => mayWrite,
    });
  t.is(await doubt(null), 'process 9 is not there');
  t.is(await doubt(''), 'process 9 is not there');
  t.is(await doubt(' 0 0 sh\n'), 'process 9 is sh, not haproxy');
  t.is(await doubt(' 0 0 nohaproxy\n'), 'process 9 is nohaproxy, not haproxy');
  t.is(await doubt(' 64001 0 haproxy\n'), "process 9 is the agent's own user's");
  t.is(await doubt(' 0 64001 haproxy\n'), "process 9 is the agent's own user's");
  const foreign = "process 9 is uid 82's, neither root's nor of its own configuration's user";
  t.is(await doubt(' 82 0 haproxy\n'), foreign);
  t.deepEqual(
    [
      await doubt(' 0 0 /usr/local/sbin/haproxy\n'),
      await doubt(' 80 80 haproxy\n'),
      await doubt(' 81 0 haproxy\n'),
    ],
    ['', '', ''],
  );
  t.regex(await doubt(' 0 0 haproxy\n', true), /^the agent's own user could write \//);
  t.is(await doubt(' 80 82 haproxy\n'), foreign.replace('82', '80'));
});
