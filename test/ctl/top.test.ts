import test from 'ava';
import { ActFailure, type ActError, type ActResult } from '../../agent/core/results.ts';
import { perform } from '../../ctl/top/acts.ts';
import { keysOf, pressed, type Extent } from '../../ctl/top/keys.ts';
import { FIRST_CHOICE, rowsOf, type Choice, type Picture } from '../../ctl/top/model.ts';
import { topScreen } from '../../ctl/top/render.ts';
import { serverReading } from '../core/builders.ts';
import { emptyResult } from '../rpc/world.ts';
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
/** Rows r0, r1 ... of BACKEND, each a server. */
const extentOf = (rows: number, page: number): Extent => ({
  nodes: 2,
  rows: Array.from({ length: rows }, (_, at) => ({
    name: `BACKEND/r${at}`,
    servers: 1,
    cells: [],
  })),
  page,
});
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
  const help = pressed(FIRST_CHOICE, '?', extentOf(3, 3));
  t.deepEqual(help, { ...FIRST_CHOICE, help: true });
  t.is(screen({ help: true }).split('\n')[3], '  ?, h                this help');
  t.deepEqual(
    ['q', 'x', 'ctrl-c'].map((key) =>
      pressed({ ...FIRST_CHOICE, help: true }, key, extentOf(3, 3)),
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
  const extent = extentOf(25, 10);
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
      after('D'),
      after('pagedown', 'down'),
      after('down', 'down', 'pagedown'),
      after('down', 'up', 'escape'),
      after('end', 'down', 'up'),
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
      { marked: 'BACKEND/r0' },
      { notice: 'mark a row first: Up, Down' },
      { from: 10, marked: 'BACKEND/r10' },
      { from: 10, marked: 'BACKEND/r11' },
      {},
      { from: 14, marked: 'BACKEND/r14' },
      {},
      {},
      null,
      null,
    ],
  );
});

test('a capital asks about the marked row, y does it, and any other key does nothing', (t) => {
  const rows = rowsOf(picture, FIRST_CHOICE);
  const backends = rowsOf(picture, { ...FIRST_CHOICE, backends: true });
  const after = (of: Extent['rows'], ...keys: string[]): Choice => {
    let choice: Choice = FIRST_CHOICE;
    for (const key of keys)
      choice = pressed(choice, key, { nodes: 2, rows: of, page: 5 }) ?? choice;
    return choice;
  };
  const asked = (state: 'drain' | 'ready' | 'maint', target: string, question: string) => ({
    state,
    target,
    question,
  });
  const web2 = asked('drain', 'WEB/web2', 'drain WEB/web2 on every node (24 sessions)?');
  t.deepEqual(
    [
      after(rows, 'down', 'down', 'D').question,
      after(rows, 'down', 'M').question,
      after(backends, 'down', 'R').question,
      after(rows, 'down', 'down', 'D', 'y').doing,
      after(rows, 'down', 'down', 'D', 'y').question,
      after(rows, 'down', 'down', 'D', 'n').doing,
      after(rows, 'down', 'down', 'D', 'n').notice,
      after(rows, 'down', 'down', 'D', 'y', 'M').notice,
      after(rows, 'down', 'down', 'D', 'n', 'x').notice,
    ],
    [
      web2,
      asked('maint', 'WEB/web1', 'maint WEB/web1 on every node (6 sessions)?'),
      asked('ready', 'WEB', 'ready all 2 servers of WEB on every node (30 sessions)?'),
      web2,
      null,
      null,
      'nothing was changed',
      'one after the other',
      '',
    ],
  );
  t.is(
    screen(after(rows, 'down', 'down', 'D'))
      .split('\n')
      .at(-1),
    'drain WEB/web2 on every node (24 sessions)? y: yes, any other key: no',
  );
  t.is(
    screen(after(rows, 'down', 'down', 'D', 'y'))
      .split('\n')
      .at(-1),
    '1-3 of 3   drain WEB/web2 is under way ...',
  );
  t.true(
    screen(after(rows, 'down', 'down'))
      .split('\n')
      .includes('>WEB/web2           UP            12     2    125 UP            12     2    0.0'),
  );
});

test('what came of an act stands above the footer, its beginning where it is long', (t) => {
  t.deepEqual(screen({ notice: 'drain WEB/web2: done on haproxy01' }).split('\n').slice(-2), [
    'drain WEB/web2: done on haproxy01',
    '1-3 of 3   q quit  ? help  / filter  Tab node  n s u r sort  b backends  o out',
  ]);
  const lines = screen({ notice: 'no '.repeat(500).trim() }).split('\n');
  t.is(lines.length, SIZE.rows);
  t.is(lines.filter((line) => line.includes('no no')).length, 4);
  t.true(lines.at(-2)?.endsWith('~'), lines.at(-2));
});

test('an act that is done, refused, or done on some nodes only says so', async (t) => {
  const act = { state: 'drain', target: 'WEB/web1', question: '' } as const;
  const nodes = ['haproxy01', 'haproxy02'].map((node) => ({
    node,
    ok: true,
    changed: true,
    error: null as ActError | null,
  }));
  const result: ActResult = { ...emptyResult, outcome: 'reached', changed: true, nodes };
  const cut = new ActFailure('failed', { code: 'x', message: 'the agent on haproxy02 is away' });
  const partial = nodes.map((one, at) =>
    at === 0 ? one : { ...one, ok: false, error: cut.detail },
  );
  const said = (reply: () => Promise<ActResult>) => perform({ setServers: reply }, act, 'abc');
  const error = {
    code: 'role_too_low',
    message: 'drain needs the role operator; vera has viewer',
    remediation: 'ask for a certificate with the role operator',
  };
  t.deepEqual(
    [
      await said(() => Promise.resolve(result)),
      await said(() => Promise.resolve({ ...result, changed: false })),
      await said(() => Promise.resolve({ ...result, outcome: 'partial', nodes: partial })),
      await said(() => Promise.reject(new ActFailure('not-authorised', error))),
    ],
    [
      'drain WEB/web1: done on haproxy01, haproxy02',
      'drain WEB/web1: already so',
      'drain WEB/web1: done on haproxy01 only; the agent on haproxy02 is away',
      'drain WEB/web1: drain needs the role operator; vera has viewer; ask for a certificate with the role operator',
    ],
  );
});
