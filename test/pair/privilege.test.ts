import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import ava, { type ExecutionContext } from 'ava';
import { canGiveRootUp } from '../lab/accounts.ts';
import { largeSite, newSite, sha1Of } from '../lab/certificates.ts';
import { proxyctl, ran, served, startProbe } from '../lab/client.ts';
import { inside } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import type { LabNode } from '../lab/report.ts';
import { descriptorsOf, helpersOf, identityOf, isGone } from './processes.ts';
import {
  asAtFirst,
  asked,
  calm,
  eventually,
  exitOf,
  fault,
  logOf,
  masters,
  nodeAt,
} from './scene.ts';
import { scene, seenBy } from './scene.ts';

// The agents of this lab become nobody. Skipped where root cannot make that of them.
const { test: labTest, lab } = canGiveRootUp()
  ? scene({ user: 'nobody' })
  : { test: null, lab: scene().lab };
const test = labTest ?? ava.serial.skip;
const id = (flag: string): number =>
  Number(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout);
const first = () => nodeAt(lab(), 0);
const second = () => nodeAt(lab(), 1);

/** The pid of an agent now: it changes with every start. */
async function agentPid(at: number): Promise<number> {
  const { nodes } = JSON.parse(
    (
      await ran([
        process.execPath,
        join(CHECKOUT, 'dist/test/lab/main.js'),
        'status',
        '--name',
        lab().name,
      ])
    ).stdout,
  ) as { nodes: { agent_pid: number | null }[] };
  const pid = nodes[at]?.agent_pid ?? null;
  if (pid === null) throw new Error(`agent ${at} does not run`);
  return pid;
}

const allow = async (at: number): Promise<string> =>
  (await ran([join(nodeAt(lab(), at).tools, 'sysctl'), '-n', 'net.inet.carp.allow'])).stdout.trim();

const statusText = async (): Promise<string> => (await proxyctl(lab(), ['status'])).stdout;

test('the agent is nobody in every sense, its helpers are root and hold two descriptors', async (t) => {
  await calm(lab());
  const [uid, gid] = [id('-u'), id('-g')];
  const pid = await agentPid(0);
  t.deepEqual(identityOf(pid), {
    uids: `${uid} ${uid} ${uid} ${uid}`,
    gids: `${gid} ${gid} ${gid} ${gid}`,
    groups: String(gid),
    capabilities: '0000000000000000',
  });
  // What this shell had open itself is not the agent's: above what it opened.
  const paths = [...descriptorsOf(pid).values()].filter((path) => path.startsWith('/'));
  const out = join(lab().runtime, 'haproxy01', 'agent.out');
  const audit = join(dirname(first().log), 'proxyctl-audit.log');
  const events = join(dirname(first().log), 'proxyctl-events.log');
  t.deepEqual([...new Set(paths)].sort(), ['/dev/null', first().log, audit, events, out].sort());
  const helpers = helpersOf(pid);
  t.is(helpers.length, 2);
  for (const helper of helpers) {
    t.is(identityOf(helper).uids, '0 0 0 0');
    const open = descriptorsOf(helper);
    t.deepEqual([open.get(0), open.get(1), open.get(2)], ['socket', 'socket', out]);
    const others = [...open.values()].filter((path) => path.startsWith('/') && path !== out);
    t.deepEqual(others, [join(CHECKOUT, 'dist/agent/privilege/helper.sh')]);
  }
});

test('files: the state and the log are the user’s, admin.sock is root’s alone', (t) => {
  const { state_dir, log, agent_socket } = first();
  const admin = agent_socket.replace(/agent\.sock$/, 'admin.sock');
  const facts = (path: string): string => {
    const { uid, mode } = statSync(path);
    return `${uid} ${(mode & 0o777).toString(8)}`;
  };
  const uid = id('-u');
  const records = ['audit', 'events'].map((name) => join(dirname(log), `proxyctl-${name}.log`));
  t.deepEqual(
    [state_dir, join(state_dir, 'state.json'), log, ...records, admin].map((path) => facts(path)),
    [`${uid} 700`, `${uid} 600`, `${uid} 640`, `${uid} 640`, `${uid} 640`, '0 600'],
  );
});

test('planned moves through the helper are as fast as by root', async (t) => {
  await asAtFirst(lab());
  const probe = await startProbe(lab());
  const took: number[] = [];
  for (const verb of ['failover', 'failback', 'failover', 'failback']) {
    const { code, json } = await asked(lab(), verb);
    t.is(code, 0, verb);
    const addresses: readonly { readonly dark_ms_max: number }[] = json.result?.['addresses'] ?? [];
    took.push(...addresses.map(({ dark_ms_max: darkMs }) => darkMs));
    await probe.more(100);
  }
  const seen = await probe.end();
  t.log(`dark at most ${took.join(', ')} ms; longest gap ${seen.longest_gap_ms} ms`);
  // One of four may meet a busy machine.
  t.true(seen.gaps.filter(({ ms }) => ms > 60).length <= 1, seenBy(seen));
});

test('a certificate that only root can read and write is replaced on both, owner and mode kept', async (t) => {
  await calm(lab());
  const pem = await newSite(90);
  const path = join(lab().runtime, 'pushed.pem');
  writeFileSync(path, pem, { mode: 0o600 });
  const { code, stderr } = await proxyctl(lab(), ['cert', 'push', path]);
  t.is(code, 0, stderr);
  for (const { cert_path, address4 } of lab().nodes) {
    t.is(sha1Of(readFileSync(cert_path, 'utf8')), sha1Of(pem));
    t.is(await served(lab(), address4), sha1Of(pem));
    const { uid, mode } = statSync(cert_path);
    t.deepEqual([uid, mode & 0o777], [0, 0o600]);
  }
});

test('a certificate too large for the runtime API goes by file and reload, through the helper too', async (t) => {
  await calm(lab());
  const pem = await largeSite(80, 60);
  t.true(pem.length > 16_384);
  const path = join(lab().runtime, 'large.pem');
  writeFileSync(path, pem, { mode: 0o600 });
  const pushed = await proxyctl(lab(), ['cert', 'push', path, '--as', 'site']);
  t.is(pushed.code, 0, pushed.stderr);
  for (const { cert_path, address4 } of lab().nodes)
    t.deepEqual(
      [sha1Of(readFileSync(cert_path, 'utf8')), await served(lab(), address4)],
      [sha1Of(pem), sha1Of(pem)],
    );
  const rolled = await proxyctl(lab(), ['cert', 'rollback', 'site']);
  t.is(rolled.code, 0, rolled.stderr);
  t.not(await served(lab(), first().address4), sha1Of(pem));
});

test('kill -9 of an agent that fences its host: the helper lifts the fence at once and ends', async (t) => {
  await asAtFirst(lab());
  await fault(lab(), 'carp', 'on', second());
  try {
    await eventually('haproxy02 is fenced', async () => (await allow(1)) === '0');
    const helpers = helpersOf(await agentPid(1));
    const killedMs = Date.now();
    await fault(lab(), 'kill-agent', 'on', second());
    await eventually('the fence is lifted', async () => (await allow(1)) === '1');
    const tookMs = Date.now() - killedMs;
    t.log(`lifted after ${tookMs} ms`);
    t.true(tookMs < 2000, `${tookMs} ms`);
    await eventually('no helper is left', () => helpers.every((one) => isGone(one)));
  } finally {
    await fault(lab(), 'carp', 'off', second());
    await fault(lab(), 'kill-agent', 'off', second());
  }
  await asAtFirst(lab());
});

/** The second agent ends when this is done to its helper, says why, and comes back when started. */
async function endsAndComesBack(
  t: ExecutionContext,
  done: (helper: number) => Promise<unknown>,
  why: string,
): Promise<void> {
  const pid = await agentPid(1);
  const out = join(lab().runtime, 'haproxy02', 'agent.out');
  const saidBefore = readFileSync(out, 'utf8').length;
  const [helper = 0] = helpersOf(pid);
  await done(helper);
  await eventually('the agent has ended', () => isGone(pid), 60_000);
  if (!isGone(helper)) process.kill(helper, 'SIGKILL');
  // Its pid is that of the lab's own PID namespace.
  const said = readFileSync(out, 'utf8').slice(saidBefore);
  const [, pidSaid = ''] = /\(pid (\d+)\)/.exec(said) ?? [];
  const cause = `the privileged helper (pid ${pidSaid}) ${why}`;
  const remedy = 'wait: daemon(8) starts the agent again in 5 s, and addresses stay until then';
  t.like(logOf(second()).at(-1), { event: 'agent-failed', msg: cause, remedy });
  // The lab's agents print there, too, who asked for what.
  t.true(said.endsWith(`proxyagent: ${cause}\n  do      ${remedy}\n`), said);
  t.deepEqual(await masters(lab()), ['haproxy01']);
  // The lab hears of the end a moment after the kernel.
  await eventually('it runs again', async () => {
    await fault(lab(), 'kill-agent', 'off', second());
    return /haproxy02 +serving/.test(await statusText());
  });
  await asAtFirst(lab());
}

test('kill -9 of the helper: the agent ends with cause and remedy, and comes back when started', (t) =>
  endsAndComesBack(
    t,
    async (helper) => process.kill(helper, 'SIGKILL'),
    'has ended: nothing can be set without it',
  ));

test('a helper that hangs, as with a tool that cannot be killed, is replaced the same way', (t) =>
  endsAndComesBack(
    t,
    async (helper) => {
      process.kill(helper, 'SIGSTOP');
      t.not(await exitOf(lab(), 'failover', '--to', 'haproxy02', '--timeout', '3s'), 0);
    },
    'hangs: it waits for a tool that does not end',
  ));

test('a stats socket that the agent may not use is an alert, not a dead HAProxy: nothing moves', async (t) => {
  await fault(lab(), 'kill-agent', 'on', first());
  chmodSync(first().stats_socket, 0o600);
  await fault(lab(), 'kill-agent', 'off', first());
  await eventually('the alert', async () =>
    /may not be used \(EACCES\)/.test((await statusText()).replaceAll(/\s+/g, ' ')),
  );
  t.deepEqual(await masters(lab()), ['haproxy01']);
  chmodSync(first().stats_socket, 0o660);
  await asAtFirst(lab());
  t.pass();
});

test('started by somebody else than root it observes only, says so, and is given nothing', async (t) => {
  await fault(lab(), 'kill-agent', 'on', second());
  const folder = join(lab().runtime, 'unprivileged');
  const [uid, gid] = [id('-u'), id('-g')];
  for (const path of [folder, join(folder, 'state')]) {
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, uid, gid);
  }
  const config = readFileSync(second().agent_config, 'utf8')
    .replace(/^state = .*/m, `state = "${folder}/state"`)
    .replace(/path = "[^"]*agent\.sock"/, `path = "${folder}/agent.sock"`)
    .replace(/^log = .*/m, 'log = { file = "" }');
  writeFileSync(join(folder, 'agent.toml'), config, { mode: 0o644 });
  const main = join(CHECKOUT, 'dist/agent/main.js');
  const as = ['setpriv', '--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
  const [command = '', ...args] = inside(lab(), 'haproxy02', [
    ...as,
    process.execPath,
    main,
    '--config',
    join(folder, 'agent.toml'),
  ]);
  const child = spawn(command, args, { stdio: 'ignore' });
  try {
    await eventually('both are heard, and one says that it only observes', async () =>
      /haproxy02: privilege: the agent runs as uid \d+, not as root/.test(
        (await proxyctl(lab(), ['status', '--context', 'haproxy01'])).stdout.replaceAll(
          /\s+/g,
          ' ',
        ),
      ),
    );
    const { code, stderr } = await proxyctl(lab(), ['failover', '--context', 'haproxy01']);
    t.is(code, 1);
    t.regex(stderr, /not moved: haproxy02 cannot take 1@vtnet0/);
    t.regex(stderr, /the agent on haproxy02 is not privileged and only observes/);
    t.deepEqual(await masters(lab()), ['haproxy01']);
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
    await fault(lab(), 'kill-agent', 'off', second());
  }
  await asAtFirst(lab());
  t.is(await exitOf(lab(), 'status', '--check'), 0);
});

test('doctor sees through the helper what nobody may not read: a rule of pf, where nothing shows that adverts arrive', async (t) => {
  await asAtFirst(lab());
  const findings = async (): Promise<readonly { id: string; saw: readonly string[] }[]> =>
    (await asked(lab(), 'doctor')).json.result?.['findings'] ?? [];
  t.deepEqual(await findings(), []);
  for (const { tools } of lab().nodes)
    t.is(statSync(join(tools, '..', 'site.pem')).mode & 0o777, 0o600);
  const withRules = async (node: LabNode): Promise<Awaited<ReturnType<typeof findings>>> => {
    const rules = join(node.tools, '..', 'pf.rules');
    writeFileSync(rules, 'block drop in quick proto carp all\npass all\n', { mode: 0o600 });
    try {
      return await findings();
    } finally {
      rmSync(rules);
    }
  };
  // The MASTER hears nobody: only its rules say what would become of an advert.
  const found = await withRules(first());
  t.deepEqual(
    found.map(({ id }) => id),
    ['pf-drops-carp'],
  );
  t.regex(found[0]?.saw[0] ?? '', /block drop in quick proto carp all/);
  // The BACKUP's counters grow: whatever the rules seem to say, adverts get through.
  t.deepEqual(await withRules(second()), []);
});
