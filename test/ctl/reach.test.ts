import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { ActResult } from '../../agent/core/results.ts';
import { createCa } from '../rpc/certificates.ts';
import { listenRaw } from '../rpc/link-world.ts';
import { createRecord } from '../record.ts';
import { emptyResult, type TestServer, type World } from '../rpc/world.ts';
import { desk, envelope, finished, overTls, printed, PROXYCTL, steady } from './command.ts';
import { statusOf } from './statuses.ts';

test('no agent there: 10, with every place that was tried', async (t) => {
  const { run, world } = await desk(
    t,
    {},
    () => '[contexts.web]\nsockets = { haproxy01 = "a.sock", haproxy02 = "b.sock" }\n',
  );
  t.deepEqual(steady(await run(['failover']), world), {
    code: 10,
    stdout: '',
    stderr: `proxyctl: haproxy01 is passed over: there is no socket DIR/a.sock
proxyctl: no agent of context web can be reached
  cause   haproxy01: there is no socket DIR/a.sock; haproxy02: there is no socket DIR/b.sock
  do      on the hosts: service proxyagent status
  by hand: proxyctl failover --by-hand prints the lines
`,
  });
});

test('the other agent answers instead, and standard error says so', async (t) => {
  const { run, world } = await desk(
    t,
    { status: () => Promise.resolve(statusOf()) },
    (_world, { socketPath }) =>
      `[contexts.web]\nsockets = { haproxy01 = "gone.sock", haproxy02 = "${socketPath}" }\n`,
  );
  const { code, stdout, stderr } = steady(await run(['status']), world);
  t.deepEqual(
    [code, stderr],
    [0, 'proxyctl: haproxy01 is passed over: there is no socket DIR/gone.sock\n'],
  );
  t.true(stdout.startsWith('web: 2 of 2 nodes alive'));
});

async function overTcp(
  t: ExecutionContext,
  toml: (world: World, server: TestServer) => string | Promise<string>,
) {
  const { run, world } = await desk(t, { status: () => Promise.resolve(statusOf()) }, toml);
  const { code, stdout, stderr } = steady(await run(['status']), world);
  return { code, stdout, cause: /^ {2}cause {3}(.*)$/m.exec(stderr)?.[1] };
}
const contextOf = (node: string, address: string, name = 'anna'): string =>
  `[contexts.web]
agents = { ${node} = "${address}" }
ca = "${name}.ca.pem"
cert = "${name}.pem"
key = "${name}.key"
`;

test('over TCP the agent must be of our CA, must take us, and must be who the context names', async (t) => {
  const strangers = await createCa('strangers');
  const refused = { code: 10, stdout: '' };
  t.deepEqual(
    await overTcp(t, async (world, { address }) => {
      world.write('anna', await world.operator('anna', 'viewer'), strangers);
      return contextOf('haproxy01', address);
    }),
    {
      ...refused,
      cause: 'haproxy01: the certificate of 127.0.0.1:PORT is not from the CA in DIR/anna.ca.pem',
    },
  );
  t.deepEqual(
    await overTcp(t, async (world, { address }) => {
      world.write('anna', await strangers.issue(['proxyctl://web/operator/anna/viewer']));
      return contextOf('haproxy01', address);
    }),
    {
      ...refused,
      cause:
        'haproxy01: 127.0.0.1:PORT hangs up when it has seen DIR/anna.pem: not from a CA it trusts, expired, or revoked',
    },
  );
  t.deepEqual(
    await overTcp(t, async (world, { address }) => {
      world.write('anna', await world.operator('anna', 'viewer'));
      return contextOf('haproxy02', address);
    }),
    { ...refused, cause: 'haproxy02: haproxy01 answered instead of haproxy02' },
  );
  t.deepEqual(
    await overTcp(t, async (world, { address }) => {
      world.write('anna', await world.ca.issue(['https://example.net/']));
      return contextOf('haproxy01', address);
    }),
    { ...refused, cause: 'haproxy01: DIR/anna.pem carries no proxyctl:// name' },
  );
  t.deepEqual(
    await overTcp(t, async (world) => {
      world.write('anna', await world.operator('anna', 'viewer'));
      return contextOf('haproxy01', '127.0.0.1:1');
    }),
    { ...refused, cause: 'haproxy01: nobody listens on 127.0.0.1:PORT' },
  );
});

test('over TCP with the right certificates it is the same screen', async (t) => {
  const { run } = await desk(t, { status: () => Promise.resolve(statusOf()) }, overTls('viewer'));
  const { code, stdout, stderr } = await run(['status']);
  t.deepEqual([code, stderr], [0, '']);
  t.true(stdout.startsWith('web: 2 of 2 nodes alive'));
});

test('what accepts and says nothing, or talks something else, is given up and named', async (t) => {
  const silent = await listenRaw(t, () => undefined);
  const web = await listenRaw(t, (socket) =>
    socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n'),
  );
  const said = async (address: string) => {
    const { run, world } = await desk(t, {}, async (world) => {
      world.write('anna', await world.operator('anna', 'viewer'));
      return contextOf('haproxy01', address);
    });
    const { code, stderr } = steady(await run(['status', '--timeout', '1s']), world);
    return [code, /^ {2}cause {3}(.*)$/m.exec(stderr)?.[1]];
  };
  t.deepEqual(await said(silent.address), [10, 'haproxy01: 127.0.0.1:PORT: no answer within 1 s']);
  const [code, cause] = await said(web.address);
  t.is(code, 10);
  t.regex(String(cause), /^haproxy01: 127\.0\.0\.1:PORT: .*(wrong version|EPROTO)/i);
});

test('an agent that is gone in the middle of an act: 7, and how to ask again', async (t) => {
  const { run, server, world } = await desk(t, {
    move: () => {
      void server.close(0);
      return new Promise<ActResult>(() => undefined);
    },
  });
  const ended = steady(await run(['failover']), world);
  t.deepEqual([ended.code, ended.stdout], [7, '']);
  t.regex(
    ended.stderr,
    /^proxyctl: move on haproxy01: no answer\n {2}cause {3}.+\n {2}ask again with --request-id ID: it is not done twice\n$/,
  );
});

test('an agent that does not finish in time: 7 after --timeout and a few seconds', async (t) => {
  const { run, world } = await desk(t, { move: () => new Promise(() => undefined) });
  const ended = steady(await run(['failover', '--timeout', '1ms']), world);
  t.deepEqual(ended, {
    code: 7,
    stdout: '',
    stderr: `proxyctl: move on haproxy01: no answer
  cause   no answer within 5.001 s
  ask again with --request-id ID: it is not done twice
`,
  });
});

async function interrupted(t: ExecutionContext, signal: NodeJS.Signals, ...more: string[]) {
  const asked = createRecord<string>();
  const { start, world } = await desk(t, {
    move: (act, report) => {
      asked.add(act.header.requestId);
      report({ step: 'moving', text: 'on it', tookMs: 1 });
      return new Promise(() => undefined);
    },
  });
  const child = start(['failover', ...more]);
  const end = finished(child);
  await asked.until(() => true);
  child.kill(signal);
  return steady(await end, world);
}

test('Ctrl-C after the agent was asked: 7, and the agent goes on', async (t) => {
  const { code, stdout, stderr } = await interrupted(t, 'SIGINT');
  t.deepEqual([code, stdout], [7, '']);
  t.regex(
    stderr,
    /\nproxyctl: interrupted: the agent goes on\n {2}do {6}ask again with --request-id ID, or proxyctl status\n$/,
  );
  const json = await interrupted(t, 'SIGINT', '-o', 'json');
  t.deepEqual([json.code, json.stderr], [7, '']);
  t.like(envelope(json.stdout), { ok: false, error: { code: 'interrupted' } });
});

test('Ctrl-\\ ends it as Ctrl-C does, and leaves no core file with a key', async (t) => {
  const { code, stderr } = await interrupted(t, 'SIGQUIT');
  t.is(code, 7);
  t.regex(stderr, /\nproxyctl: interrupted: the agent goes on\n/);
});

test('Ctrl-C before anyone was asked: 130', async (t) => {
  const { address } = await listenRaw(t, () => undefined);
  const { start } = await desk(t, {}, async (world) => {
    world.write('anna', await world.operator('anna', 'viewer'));
    return contextOf('haproxy01', '127.0.0.1:1').replace(
      'agents = {',
      `agents = { haproxy02 = "127.0.0.1:1", haproxy03 = "${address}",`,
    );
  });
  const child = start(['failover']);
  const end = once(child, 'close');
  await printed(child, 'haproxy02 is passed over');
  child.kill('SIGINT');
  await end;
  t.is(child.exitCode, 130);
});

test('a reader that leaves early ends nothing: the exit code is that of the act', async (t) => {
  const { start } = await desk(t, {
    move: (_act, report) => {
      for (let line = 0; line < 200; line++)
        report({ step: 'moving', text: `line ${line}`, tookMs: 1 });
      return Promise.resolve({ ...emptyResult, outcome: 'partial' });
    },
  });
  const child = start(['failover']);
  child.stdout?.destroy();
  child.stderr?.destroy();
  await once(child, 'close');
  t.is(child.exitCode, 6);
});

test('standard output that cannot be written is said, and is no success', async (t) => {
  const { world, config } = await desk(t, { status: () => Promise.resolve(statusOf()) });
  const child = spawn(process.execPath, [PROXYCTL, 'status'], {
    env: { PROXYCTL_CONFIG: config, HOME: world.folder },
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
  });
  const { code, stderr } = await finished(child);
  t.is(code, 1);
  t.regex(stderr, /^proxyctl: standard output cannot be written: .*ENOSPC/);
});
