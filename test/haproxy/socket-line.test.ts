import test from 'ava';
import { sectionsOf } from '../../agent/core/haproxy-config/sections.ts';
import { socketOf, type SocketLine } from '../../agent/haproxy/socket-line.ts';

const global = (...lines: string[]): SocketLine =>
  socketOf(sectionsOf(['global', ...lines].join('\n')));
const pathOf = (...lines: string[]): string | null => global(...lines).path;
const none = (cause: string): SocketLine => ({ path: null, cause });
const NONE = none('has no "stats socket PATH level admin" in its global section');

test('a stats socket as people write it', (t) => {
  for (const line of [
    'stats socket /a.sock level admin',
    'stats socket unix@/a.sock level admin',
    'stats\tsocket\t/a.sock\tlevel\tadmin\r',
    'stats socket "/a.sock" level \'admin\' # level user',
    'stats socket /a.sock user www mode 600 expose-fd listeners level admin',
    'stats socket ipv4@127.0.0.1:9999,unix@/a.sock level admin',
    'stats socket /a.sock group "${GROUP}" level admin',
    'stats socket /a.sock level user level admin',
  ])
    t.deepEqual(global(line), { path: '/a.sock' }, line);
});

test('the first certain one of level admin, else the first certain one of another level', (t) => {
  const admin = ['stats socket /b.sock level admin', 'stats socket /c.sock level admin'];
  t.is(pathOf('stats socket 127.0.0.1:9 level admin', 'stats socket /a.sock', ...admin), '/b.sock');
  t.is(pathOf('stats socket "${RUN}/a.sock" level admin', ...admin), '/b.sock');
  t.is(pathOf('.if defined(X)', 'stats socket /a.sock level admin', '.endif', ...admin), '/b.sock');
  for (const level of [
    '',
    'level user',
    'level operator',
    'level "${L}"',
    'level admin level user',
  ])
    t.deepEqual(
      global(`stats socket /a.sock ${level}`, 'stats socket "${X}" level admin'),
      { path: '/a.sock' },
      level,
    );
});

test('constant conditions are known: a line they leave out is none, one they keep is certain', (t) => {
  const lines = (condition: string): string[] => [
    `.if ${condition}`,
    'stats socket /a.sock level admin',
    '.else',
    'stats socket /b.sock level admin',
    '.endif',
  ];
  t.deepEqual([pathOf(...lines('1')), pathOf(...lines('0'))], ['/a.sock', '/b.sock']);
});

test('why none is certain: a variable, a condition, no path, no line at all', (t) => {
  const variable = 'stats socket "${RUN}/haproxy.sock" level admin';
  const guarded = ['.if defined(X)', 'stats socket /a.sock level admin', '.endif'];
  const tcp = 'stats socket ipv4@127.0.0.1:9999 level admin';
  const abstract = 'stats socket abns@haproxy level admin';
  const byVariable = 'names its stats socket by a variable';
  const inCondition = 'has its stats socket in a condition (.if)';
  t.deepEqual(
    [
      global(variable),
      global(tcp, variable),
      global(...guarded),
      global(tcp, ...guarded),
      global(tcp),
      global(abstract),
      global('stats socket'),
      global('daemon'),
      global('# stats socket /a.sock level admin'),
      global('.if 0', 'stats socket /a.sock level admin', '.endif'),
      global('defaults', 'stats socket /a.sock level admin'),
      socketOf([]),
    ],
    [
      none(`${byVariable} (line 2: \${RUN}/haproxy.sock)`),
      none(`${byVariable} (line 3: \${RUN}/haproxy.sock)`),
      none(`${inCondition} (line 3: /a.sock)`),
      none(`${inCondition} (line 4: /a.sock)`),
      none('has no stats socket that is a path (line 2: ipv4@127.0.0.1:9999)'),
      none('has no stats socket that is a path (line 2: abns@haproxy)'),
      none('has no stats socket that is a path (line 2: )'),
      NONE,
      NONE,
      NONE,
      NONE,
      NONE,
    ],
  );
});
