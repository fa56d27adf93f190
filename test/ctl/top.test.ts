import test from 'ava';
import { keysOf, pressed, type Extent } from '../../ctl/top/keys.ts';
import { FIRST_CHOICE, rowsOf, type Choice, type Picture } from '../../ctl/top/model.ts';
import { topScreen } from '../../ctl/top/render.ts';
import { serverReading } from '../core/builders.ts';
import { backup, intentOf, nodeOf, statusOf } from './statuses.ts';

const WALL = new Date(2026, 10, 26, 12, 0, 1).getTime();
const drained = intentOf({ stamp: { wallMs: WALL - 12 * 60_000, count: 0, node: 'haproxy01' } });
const SIZE = { columns: 80, rows: 16 };

const figures = {
  connectErrors: 1,
  responseErrors: 2,
  http5xx: 12,
  bytesIn: 123_456,
  bytesOut: 7_654_321_000,
  responseMs: 48,
};
const serversAt = (total: number) => [
  serverReading({ status: 'DRAIN', admin: 'drain', adminBits: 8, sessions: 3, total: 40, figures }),
  serverReading({ name: 'web2', sessions: 14, queued: 2, total: 1000 + total }),
  serverReading({ backend: 'GITEA', name: 'gitea', status: 'DOWN', total: 9, check: 'L4CON' }),
];
const reading = (atMs: number, total: number): Picture['now'] => ({
  atMs,
  wallMs: WALL,
  status: statusOf(),
  servers: {
    node: 'haproxy01',
    nodes: [
      { node: 'haproxy01', problem: '', servers: serversAt(total) },
      { node: 'haproxy02', problem: '', servers: serversAt(0).slice(0, 2) },
    ],
    intents: [drained],
  },
});
const now = performance.now();
const picture: Picture = {
  context: 'web',
  now: reading(now, 250),
  before: reading(now - 2000, 0),
  problem: null,
};
const screen = (choice: Partial<Choice> = {}, of = picture, size = SIZE): string =>
  topScreen(of, { ...FIRST_CHOICE, ...choice }, size).join('\n');

test('both nodes side by side: addresses, sums, what is drained, and every server with its rate', (t) => {
  t.is(
    screen(),
    `web: 2 of 2 nodes alive, automation on, 0 alerts, 12:00:01
1@wan     10.1.60.200      haproxy01 MASTER, haproxy02 BACKUP
          fd5e:d1c2:c9de:60::200
haproxy01 serving   HAProxy 2.6.12, 15 sessions, 2 queued, 125/s
haproxy02 serving   HAProxy 2.6.12, 15 sessions, 2 queued, 0.0/s
drained   WEB/web1, 6 left, 12 min, by anna, "kernel update"

                    haproxy01                     haproxy02
>SERVER             STATE       SESS QUEUE RATE/S STATE       SESS QUEUE RATE/S
WEB/web1            drain          3     0    0.0 drain          3     0    0.0
WEB/web2            UP            12     2    125 UP            12     2    0.0
GITEA/gitea         DOWN           0     0    0.0 ?



1-3 of 3   q quit  ? help  / filter  Tab node  n s u r sort  b backends  o out`,
  );
});

test('older HAProxy processes: what they still have counts, and one that cannot be asked is said', (t) => {
  const [first = reading(now, 0).servers.nodes[0]] = picture.now.servers.nodes;
  const servers = (first?.servers ?? []).map((one, at) => ({
    ...one,
    older: at === 0 ? 2 : 0,
    uncounted: 1,
  }));
  const nodes = [{ node: 'haproxy01', problem: '', servers }];
  const of = { ...picture, now: { ...picture.now, servers: { ...picture.now.servers, nodes } } };
  t.deepEqual(screen({}, of).split('\n').slice(5, 8), [
    'older     2 sessions are of an older HAProxy on haproxy01',
    'older     1 process of HAProxy on haproxy01 not counted',
    'drained   WEB/web1, at least 3 left, 12 min, by anna, "kernel update"',
  ]);
});

test('one node alone has weight, check, 5xx, errors and response time too', (t) => {
  t.is(
    screen({ node: 0 }),
    `web: 2 of 2 nodes alive, automation on, 0 alerts, 12:00:01
1@wan     10.1.60.200      haproxy01 MASTER, haproxy02 BACKUP
          fd5e:d1c2:c9de:60::200
haproxy01 serving   HAProxy 2.6.12, 15 sessions, 2 queued, 125/s
haproxy02 serving   HAProxy 2.6.12, 15 sessions, 2 queued, 0.0/s
drained   WEB/web1, 6 left, 12 min, by anna, "kernel update"

               haproxy01
>SERVER        STATE          WT  SESS QUEUE RATE/S CHECK       5XX   ERR    MS
WEB/web1       drain           1     3     0    0.0 L4OK         12     3    48
WEB/web2       UP              1    12     2    125 L4OK          -     -     -
GITEA/gitea    DOWN            1     0     0    0.0 L4CON         -     -     -



1-3 of 3   q quit  ? help  / filter  Tab node  n s u r sort  b backends  o out`,
  );
});

test('a wide screen has the bytes of a node too, shortened', (t) => {
  const wide = screen({ node: 0, sort: 'queue' }, picture, { columns: 120, rows: 16 }).split('\n');
  t.deepEqual(
    wide.slice(7, 9).map((line) => line.slice(-72)),
    [
      '           WT  SESS>QUEUE RATE/S CHECK       5XX   ERR    MS    OUT     IN',
      '            1    12     2    125 L4OK          -     -     -      -      -',
    ].map((line) => line.slice(-72)),
  );
  t.true(wide[9]?.endsWith('12     3    48  7654M   123k'), wide[9]);
});

test('five alerts have a line each, of more the number', (t) => {
  const alert = { id: 'problem', node: 'haproxy01', severity: 'warn', remedy: '' } as const;
  const alerts = Array.from({ length: 7 }, (_, at) => ({
    ...alert,
    subject: `s${at}`,
    text: 'gone',
    sinceMs: null,
  }));
  const of = { ...picture, now: { ...picture.now, status: { ...statusOf(), alerts } } };
  t.deepEqual(
    screen({}, of)
      .split('\n')
      .filter((line) => line.includes('alert')),
    [
      'web: 2 of 2 nodes alive, automation on, 7 alerts, 12:00:01',
      ...[0, 1, 2, 3].map((at) => `alert     haproxy01: s${at}: gone`),
      'and 3 more alerts',
    ],
  );
});

test('the help key shows what each key does, and any key goes back', (t) => {
  const help = pressed(FIRST_CHOICE, '?', { nodes: 2, rows: 3, page: 3 });
  t.deepEqual(help, { ...FIRST_CHOICE, help: true });
  t.is(screen({ help: true }).split('\n')[3], '  ?, h                this help');
  t.deepEqual(
    ['q', 'x', 'ctrl-c'].map((key) =>
      pressed({ ...FIRST_CHOICE, help: true }, key, { nodes: 2, rows: 3, page: 3 }),
    ),
    [FIRST_CHOICE, FIRST_CHOICE, null],
  );
});

test('one row a backend: how many of its servers take traffic, and their sums', (t) => {
  t.is(
    screen({ backends: true, sort: 'sessions' }),
    `web: 2 of 2 nodes alive, automation on, 0 alerts, 12:00:01
1@wan     10.1.60.200      haproxy01 MASTER, haproxy02 BACKUP
          fd5e:d1c2:c9de:60::200
haproxy01 serving   HAProxy 2.6.12, 15 sessions, 2 queued, 125/s
haproxy02 serving   HAProxy 2.6.12, 15 sessions, 2 queued, 0.0/s
drained   WEB/web1, 6 left, 12 min, by anna, "kernel update"

                    haproxy01                     haproxy02
BACKEND             STATE      >SESS QUEUE RATE/S STATE      >SESS QUEUE RATE/S
WEB                 1/2 up        15     2    125 1/2 up        15     2    0.0
GITEA               0/1 up         0     0    0.0 ?




1-2 of 2   q quit  ? help  / filter  Tab node  n s u r sort  b backends  o out`,
  );
});

test('sorted by sessions, filtered by name, only what is out', (t) => {
  const names = (choice: Partial<Choice>): string[] =>
    rowsOf(picture, { ...FIRST_CHOICE, ...choice }).map(({ name }) => name);
  t.deepEqual(
    [
      names({}),
      names({ sort: 'sessions' }),
      names({ sort: 'rate' }),
      names({ sort: 'queue' }),
      names({ filter: 'WEB1' }),
      names({ out: true }),
      names({ out: true, node: 1 }),
    ],
    [
      ['WEB/web1', 'WEB/web2', 'GITEA/gitea'],
      ['WEB/web2', 'WEB/web1', 'GITEA/gitea'],
      ['WEB/web2', 'WEB/web1', 'GITEA/gitea'],
      ['WEB/web2', 'WEB/web1', 'GITEA/gitea'],
      ['WEB/web1'],
      ['WEB/web1', 'GITEA/gitea'],
      ['WEB/web1', 'GITEA/gitea'],
    ],
  );
});

test('a rate needs two readings of one process', (t) => {
  const rate = (of: Picture) => rowsOf(of, FIRST_CHOICE)[1]?.cells[0]?.rate;
  t.deepEqual(
    [
      rate(picture),
      rate({ ...picture, before: null }),
      rate({ ...picture, now: picture.before ?? picture.now, before: reading(now - 4000, 250) }),
    ],
    [125, null, null],
  );
});

test('no reading any more: the last one stands and says so; a node without one has a question mark', (t) => {
  const problem = 'no agent of context web can be reached';
  const servers = {
    ...picture.now.servers,
    nodes: picture.now.servers.nodes.map((one, at) =>
      at === 0
        ? one
        : { node: one.node, problem: 'the agent on haproxy02 does not answer', servers: [] },
    ),
  };
  const status = statusOf({
    nodes: [
      nodeOf('haproxy01'),
      nodeOf('haproxy02', { addresses: [backup()] }, { problem: 'its connection was cut' }),
    ],
  });
  t.is(
    screen({}, { ...picture, now: { ...picture.now, servers, status }, problem }).replace(
      / \(\d.*/,
      '',
    ),
    `web: 1 of 2 nodes alive, automation on, 1 alert, 12:00:01
OLD: no agent of context web can be reached
1@wan     10.1.60.200      haproxy01 MASTER, haproxy02 ?
          fd5e:d1c2:c9de:60::200
haproxy01 serving   HAProxy 2.6.12, 15 sessions, 2 queued, 125/s
haproxy02 ?         the agent on haproxy02 does not answer
alert     haproxy02: is not heard: its connection was cut
drained   WEB/web1, 3 left, 12 min, by anna, "kernel update"

                    haproxy01                     haproxy02
>SERVER             STATE       SESS QUEUE RATE/S STATE       SESS QUEUE RATE/S
WEB/web1            drain          3     0    0.0 ?
WEB/web2            UP            12     2    125 ?
GITEA/gitea         DOWN           0     0    0.0 ?

1-3 of 3   q quit  ? help  / filter  Tab node  n s u r sort  b backends  o out`,
  );
});

test('every line is shorter than the screen, and the screen no longer than it', (t) => {
  const long = 'a'.repeat(70);
  const many = Array.from({ length: 100 }, (_, at) =>
    serverReading({ backend: long, name: `${at}` }),
  );
  const servers = {
    ...picture.now.servers,
    nodes: ['n1', 'n2', 'n3'].map((node) => ({
      node: `${node}${long}`,
      problem: '',
      servers: many,
    })),
  };
  for (const [columns, rows] of [
    [80, 24],
    [40, 10],
    [200, 60],
    [20, 3],
    [1, 1],
  ] as const)
    for (const choice of [{}, { node: 2 }, { backends: true }, { typing: true, filter: long }]) {
      const lines = topScreen(
        { ...picture, now: { ...picture.now, servers } },
        { ...FIRST_CHOICE, ...choice, from: 1000 },
        { columns, rows },
      );
      t.true(lines.length <= rows, `${columns}x${rows}: ${lines.length}`);
      t.deepEqual(
        lines.filter((line) => line.length >= Math.max(2, columns)),
        [],
      );
    }
});

test('keys are read from what terminals send, several at once too', (t) => {
  t.deepEqual(keysOf('q\u001B[A\u001BOB\u001B[5~\u001B[1;5C\t\r\u007F\u0003\u001B/x'), [
    'q',
    'up',
    'down',
    'pageup',
    'tab',
    'enter',
    'backspace',
    'ctrl-c',
    'escape',
    '/',
    'x',
  ]);
});

test('keys sort, filter, choose a node, scroll within the rows, and quit', (t) => {
  const extent: Extent = { nodes: 2, rows: 25, page: 10 };
  const after = (...keys: string[]): Partial<Choice> | null => {
    let choice: Choice | null = FIRST_CHOICE;
    for (const key of keys) choice = choice === null ? null : pressed(choice, key, extent);
    if (choice === null) return null;
    const entries = Object.entries(choice);
    return Object.fromEntries(
      entries.filter(([name, value]) => FIRST_CHOICE[name as keyof Choice] !== value),
    );
  };
  t.deepEqual(
    [
      after('s'),
      after('r', 'n'),
      after('/', 'w', 'q', 'backspace', 'e', 'enter'),
      after('/', 'w', 'escape'),
      after('/', 'w', 'enter', 'escape'),
      after('tab', 'tab'),
      after('tab', 'tab', 'tab'),
      after('b', 'o'),
      after('up'),
      after('pagedown', 'down'),
      after('end', 'down'),
      after('end', 'pageup', 'home'),
      after('x'),
      after('q'),
      after('/', 'ctrl-c'),
    ],
    [
      { sort: 'sessions' },
      {},
      { filter: 'we' },
      {},
      {},
      { node: 1 },
      {},
      { backends: true, out: true },
      {},
      { from: 11 },
      { from: 15 },
      {},
      {},
      null,
      null,
    ],
  );
});
