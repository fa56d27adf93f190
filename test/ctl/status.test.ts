import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Status } from '../../agent/core/answers.ts';
import { desk, MODULES, steady } from './command.ts';
import { addressOf, ago, backup, DAY, haproxyOf, intentOf, MINUTE } from './statuses.ts';
import { nodeOf, statusOf } from './statuses.ts';

async function shown(t: ExecutionContext, status: Status, argv: readonly string[] = []) {
  const { run, world } = await desk(t, { status: () => Promise.resolve(status) });
  const ended = await run(['status', ...argv]);
  return { ...steady(ended, world), widest: widest(ended.stdout) };
}
const widest = (text: string): number => Math.max(...text.split('\n').map((line) => line.length));

test('a pair where all is well is one short screen', async (t) => {
  const { widest, ...ended } = await shown(t, statusOf(), ['--check']);
  t.deepEqual(ended, {
    code: 0,
    stderr: '',
    stdout: `web: 2 of 2 nodes alive, automation on, 0 alerts  haproxy01 answered, N ms

ADDRESS  VIP                       NODE       CARP    SKEW  SEEN
1@wan    10.1.60.200             * haproxy01  MASTER  0     0.1 s
         fd5e:d1c2:c9de:60::200    haproxy02  BACKUP  100   0.2 s

NODE       HEALTH   HAPROXY          BACKENDS  SESSIONS  CERTIFICATES
haproxy01  serving  2.6.12, 41 days  2 up           214  1, first ends 61 d
haproxy02  serving  2.6.12, 41 days  2 up           214  1, first ends 61 d

decision  1@wan stays on haproxy01: it serves (4 min ago)
`,
  });
  t.is(widest, 80);
});

test('the modules print what the one file prints', async (t) => {
  const { run, world } = await desk(t, { status: () => Promise.resolve(statusOf()) });
  t.deepEqual(
    steady(await run(['status'], { command: MODULES }), world),
    steady(await run(['status']), world),
  );
});

test('a node that is not heard has its last values in brackets, and --check says 3', async (t) => {
  const status = statusOf({
    nodes: [
      nodeOf('haproxy01'),
      nodeOf(
        'haproxy02',
        { addresses: [backup()] },
        { peerClass: 'agent-down', ageMs: 41_000, problem: 'connection refused' },
      ),
    ],
  });
  const { widest, ...ended } = await shown(t, status, ['--check']);
  t.deepEqual(ended, {
    code: 3,
    stderr: '',
    stdout: `web: 1 of 2 nodes alive, automation on, 1 alert  haproxy01 answered, N ms

ADDRESS  VIP                       NODE       CARP        SKEW   SEEN
1@wan    10.1.60.200             * haproxy01  MASTER      0      0.1 s
         fd5e:d1c2:c9de:60::200    haproxy02  ? (BACKUP)  (100)  41 s

NODE       HEALTH      HAPROXY          BACKENDS  SESSIONS  CERTIFICATES
haproxy01  serving     2.6.12, 41 days  2 up           214  1, first ends 61 d
haproxy02  agent-down

alert     haproxy02: is not heard: connection refused (42 s); on haproxy02:
          service proxyagent status
decision  1@wan stays on haproxy01: it serves (4 min ago)
`.replace('(42 s)', /\((4\d s)\)/.exec(ended.stdout)?.[0] ?? ''),
  });
  t.is(widest, 80);
});

test('words of a newer agent are shown as unknown, and none of them is an alert', async (t) => {
  const unknown = 'unknown';
  const report = {
    addresses: [addressOf({ state: unknown })],
    haproxy: [haproxyOf({ state: unknown })],
    health: unknown,
    carpEvents: unknown,
  } as const;
  const nodes = [nodeOf('haproxy01', report), nodeOf('haproxy02', { addresses: [backup()] })];
  const { stdout, code } = await shown(t, statusOf({ nodes }), ['--check']);
  t.is(code, 0);
  t.deepEqual(
    stdout.split('\n').filter((line) => /unknown|alert /.test(line)),
    [
      '1@wan    10.1.60.200             * haproxy01  unknown  0     0.1 s',
      'haproxy01  unknown  unknown          0 up           214  1, first ends 61 d',
    ],
  );
});

test('a node never seen is a row without values', async (t) => {
  const never = { peerClass: 'never-seen', ageMs: null, report: null } as const;
  const problem = 'waiting for haproxy02, never seen';
  const nodes = [nodeOf('haproxy01'), nodeOf('haproxy02', {}, { ...never, problem })];
  const { stdout, code } = await shown(t, statusOf({ nodes }));
  t.is(code, 0);
  t.deepEqual(
    stdout.split('\n').filter((line) => line.includes('haproxy02')),
    [
      'haproxy02  never-seen',
      'alert     haproxy02: is not heard: waiting for haproxy02, never seen; on',
      '          haproxy02: service proxyagent status',
    ],
  );
});

test('two MASTERs are a reading (0), with --check a finding (3), and an alert either way', async (t) => {
  const nodes = [
    nodeOf('haproxy01'),
    nodeOf('haproxy02', { addresses: [backup({ state: 'MASTER', stateSinceMs: ago(MINUTE) })] }),
  ];
  const reading = await shown(t, statusOf({ nodes }));
  const check = await shown(t, statusOf({ nodes }), ['--check']);
  t.deepEqual([reading.code, check.code], [0, 3]);
  const lines = reading.stdout.split('\n').filter((line) => /MASTER/.test(line));
  t.deepEqual(lines, [
    '1@wan    10.1.60.200             * haproxy01  MASTER  0     0.1 s',
    '         fd5e:d1c2:c9de:60::200    haproxy02  MASTER  100   0.1 s',
    'alert     1@wan: MASTER on haproxy01 and haproxy02 at once (1 min); see that',
  ]);
});

test('alerts are shown as the agent says them, of an id that is not known here too', async (t) => {
  const alerts = [
    {
      id: 'new-word',
      node: 'haproxy01',
      subject: '1@wan',
      severity: 'fail' as const,
      text: 'something newer than this proxyctl',
      remedy: 'read about it',
      sinceMs: ago(MINUTE),
    },
  ];
  const { code, stdout } = await shown(t, statusOf({ alerts }), ['--check']);
  t.is(code, 3);
  t.deepEqual(
    stdout.split('\n').filter((line) => line.startsWith('alert')),
    ['alert     1@wan: something newer than this proxyctl (1 min); read about it'],
  );
});

test('an agent that tells only of its own decision: a node that is not heard is still not well', async (t) => {
  const nodes = [nodeOf('haproxy01'), nodeOf('haproxy02', {}, { problem: 'connection refused' })];
  const { code, stdout } = await shown(t, statusOf({ nodes, alerts: [] }), ['--check']);
  t.is(code, 3);
  t.regex(stdout, /^web: 1 of 2 nodes alive, automation on, 0 alerts/);
});

test('a fenced node and one switched off are said, whoever wanted it', async (t) => {
  const status = statusOf({
    nodes: [
      nodeOf('haproxy01'),
      nodeOf('haproxy02', { fenced: true, addresses: [backup({ state: 'INIT', advskew: 254 })] }),
    ],
    intents: [
      intentOf({ key: 'maintenance/haproxy02', value: 'on', reason: '' }),
      intentOf({ key: 'pause', value: 'on' }),
    ],
  });
  const { stdout } = await shown(t, status);
  t.deepEqual(stdout.split('\n').slice(10), [
    'node out  haproxy02 in maintenance, takes no addresses, 12 min, by anna',
    'paused    nothing moves by itself, 12 min, by anna, "kernel update"',
    'alert     haproxy02: is fenced: CARP is off there until adverts arrive again;',
    '          proxyctl doctor',
    'decision  1@wan stays on haproxy01: it serves (4 min ago)',
    '',
  ]);
});

test('nodes that hear nothing of devd are named: they notice changes a second late', async (t) => {
  const status = statusOf({
    nodes: [
      nodeOf('haproxy01', { carpEvents: 'polling' }),
      nodeOf('haproxy02', { carpEvents: 'polling', addresses: [backup()] }),
    ],
  });
  const { code, stdout } = await shown(t, status, ['--check']);
  t.is(code, 0);
  t.deepEqual(stdout.split('\n').slice(10), [
    'polling   CARP every second on haproxy01, haproxy02: nothing heard of devd',
    'decision  1@wan stays on haproxy01: it serves (4 min ago)',
    '',
  ]);
});

test('pins, drains, lowered advskew and troubles of a node each have their line', async (t) => {
  const until = Date.now() + 3 * DAY;
  const status = statusOf({
    paused: true,
    nodes: [
      nodeOf('haproxy01', {
        addresses: [addressOf({ state: 'BACKUP', advskew: 254 })],
        applied: [{ key: 'server//WEB/web1', stamp: intentOf().stamp, problem: '' }],
      }),
      nodeOf('haproxy02', {
        addresses: [backup({ state: 'MASTER' })],
        health: 'degraded',
        healthSinceMs: ago(4 * MINUTE),
        healthReason: 'backend GITEA is down here and up on haproxy01',
        haproxy: [
          haproxyOf({ backends: [{ name: 'GITEA', up: false, serversUp: 0, servers: 1 }] }),
        ],
        problems: [
          {
            subject: 'devd',
            cause: 'no /var/run/devd.pipe',
            remedy: 'start devd',
            sinceMs: ago(5 * MINUTE),
          },
        ],
      }),
    ],
    verdicts: [
      {
        address: '1@wan',
        owner: 'haproxy02',
        reason: '1@wan stays on haproxy02: pinned to haproxy02 by anna',
        sinceMs: ago(12 * MINUTE),
        pin: intentOf({ key: 'pin/1@wan', value: 'haproxy02', untilWallMs: until }),
      },
    ],
    intents: [intentOf()],
  });
  const { widest, ...ended } = await shown(t, status);
  t.deepEqual(ended, {
    code: 0,
    stderr: '',
    stdout: `web: 2 of 2 nodes alive, automation paused, 2 alerts  haproxy01 answered, N ms

ADDRESS  VIP                       NODE       CARP    SKEW     SEEN
1@wan    10.1.60.200               haproxy01  BACKUP  254 (0)  0.1 s
         fd5e:d1c2:c9de:60::200  * haproxy02  MASTER  100      0.1 s

NODE       HEALTH    HAPROXY          BACKENDS      SESSIONS  CERTIFICATES
haproxy01  serving   2.6.12, 41 days  2 up               214  1, first ends 61 d
haproxy02  degraded  2.6.12, 41 days  0 up, 1 down       214  1, first ends 61 d

pinned    1@wan to haproxy02, 12 min, by anna until DATE, "kernel
          update"
drained   WEB/web1 on haproxy01, 12 min, by anna, "kernel update"
alert     haproxy02: devd: no /var/run/devd.pipe (5 min); start devd
alert     haproxy02: backend GITEA is down here and up on haproxy01 (4 min);
          proxyctl servers
decision  1@wan stays on haproxy02: pinned to haproxy02 by anna (12 min ago)
`,
  });
  t.is(widest, 80);
});

test('what reloads have left still serves: its sessions count, and it has a line', async (t) => {
  const older = { processes: 3, sessions: 2, uncounted: 1, problem: '' };
  const mute = { ...older, processes: 1, sessions: 0 };
  const status = statusOf({
    nodes: [
      nodeOf('haproxy01', { haproxy: [haproxyOf({ older })] }),
      nodeOf('haproxy02', { addresses: [backup()], haproxy: [haproxyOf({ older: mute })] }),
    ],
  });
  const { stdout } = await shown(t, status);
  const lines = stdout.split('\n');
  t.deepEqual(
    lines.filter((line) => /^older|^ {10}\S/.test(line)),
    [
      'older     haproxy01: 3 older HAProxy processes still serve 2 sessions; 1 of them',
      '          cannot be asked',
      'older     haproxy02: 1 older HAProxy process still there, and cannot be asked',
      '          for sessions',
    ],
  );
  t.deepEqual(
    lines.flatMap((line) => /^haproxy0\d .* (\d+)  1, first/.exec(line)?.[1] ?? []),
    ['216', '214'],
  );
});

test('long names, reasons and IPv6 addresses never make a line longer than 80', async (t) => {
  const long = (end: string) => `proxy-frankfurt-rack12-unit07-blue-${end}`;
  const address = '200@frankfurt-public';
  const vips = [
    '2001:0db8:1111:2222:3333:4444:5555:6666',
    '2001:0db8:1111:2222:3333:4444:5555:7777',
  ];
  const reason = 'w'.repeat(90) + ' and another word or two until the line must be broken again';
  const status = statusOf({
    node: long('a'),
    nodes: [
      nodeOf(long('a'), {
        addresses: [addressOf({ address, network: 'frankfurt-public', vhid: 200, vips })],
      }),
      nodeOf(
        long('b'),
        {
          addresses: [
            backup({ address, network: 'frankfurt-public', vhid: 200, vips, advskew: 254 }),
          ],
        },
        { ageMs: 41_000, problem: `no way to [${vips[0]}]:7660 (EHOSTUNREACH)` },
      ),
    ],
    verdicts: [
      {
        address,
        owner: long('a'),
        reason,
        sinceMs: ago(MINUTE),
        pin: intentOf({ key: `pin/${address}`, value: long('a'), reason }),
      },
    ],
    intents: [intentOf({ key: `server//${'B'.repeat(70)}/${'s'.repeat(70)}`, reason })],
  });
  const { widest, code, stderr, stdout } = await shown(t, status);
  t.deepEqual({ widest, code, stderr }, { widest: 80, code: 0, stderr: '' });
  t.deepEqual(stdout.split('\n').slice(0, 12), [
    'web: 1 of 2 nodes alive, automation on, 1 alert',
    /^proxy.*$/m.exec(stdout)?.[0],
    '',
    'ADDRESS                 NODE                            CARP        SKEW   SEEN',
    '200@frankfurt-public  * proxy-frankfur~2-unit07-blue-a  MASTER      0      0.1 s',
    '                        proxy-frankfur~2-unit07-blue-b  ? (BACKUP)  (254)  41 s',
    '200@frankfurt-public 2001:0db8:1111:2222:3333:4444:5555:6666',
    '          2001:0db8:1111:2222:3333:4444:5555:7777',
    '',
    'NODE                                  HEALTH   HAPROXY  BACKENDS  SESS  CERTS',
    'proxy-frankfurt-rack12-unit07-blue-a  serving  2.6.12   2 up       214  1, 61 d',
    'proxy-frankfurt-rack12-unit07-blue-b  alive',
  ]);
});

test('what others named cannot steer the terminal; letters beyond ASCII need a UTF-8 locale', async (t) => {
  const status = statusOf({
    intents: [intentOf({ reason: 'M\u00fcller\u001b[2J\u0007 said \u202eso\u009b1m' })],
  });
  const { run } = await desk(t, { status: () => Promise.resolve(status) });
  const said = async (env: Record<string, string>) =>
    /"(.*)"/.exec((await run(['status'], { env })).stdout)?.[1];
  t.deepEqual(
    [await said({}), await said({ LC_ALL: 'C' }), await said({ LANG: 'de_DE.UTF-8' })],
    ['M?ller?[2J? said ?so?1m', 'M?ller?[2J? said ?so?1m', 'M\u00fcller?[2J? said ?so?1m'],
  );
});

test('a server in maintenance is told in other words than a node', async (t) => {
  const status = statusOf({
    intents: [
      intentOf({ key: 'maintenance/haproxy02', value: 'on', reason: '' }),
      intentOf({ value: 'maint', reason: '' }),
    ],
  });
  const { stdout } = await shown(t, status);
  t.deepEqual(
    stdout.split('\n').filter((line) => /^(node out|out) /.test(line)),
    [
      'node out  haproxy02 in maintenance, takes no addresses, 12 min, by anna',
      'out       WEB/web1 on no node, server maint, 12 min, by anna',
    ],
  );
});
