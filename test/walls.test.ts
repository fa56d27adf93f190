import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

/** From dist/test/ to the sources, which hold the linter's configuration. */
const TREE = fileURLToPath(new URL('../..', import.meta.url));

/** What a file of some room may import and what not. */
interface Wall {
  readonly files: readonly string[];
  /** Neither as a value nor as a type. */
  readonly refused: readonly string[];
  /** Not as a value. */
  readonly refusedValues?: readonly string[];
  readonly allowed: readonly string[];
  /** As a type. */
  readonly allowedTypes?: readonly string[];
}

/** Each imports no other. */
const APART = [
  'audit',
  'events',
  'notify',
  'carp',
  'haproxy',
  'acme',
  'metrics',
  'web',
  'witness',
  'store',
];
const ADAPTERS = [...APART, 'certs', 'deploy', 'privilege'];
const TOP = ['../agent.ts', '../node.ts', '../main.ts'];
const roomsOf = (names: readonly string[]): string[] => names.map((name) => `../${name}/x.ts`);

const ABOVE_ADAPTERS = [
  ...roomsOf(['rpc', 'wire', 'loop', 'gossip', 'upkeep', 'start', 'verbs', 'inspect', 'config']),
  ...TOP,
  '../../proto/gen/messages.js',
  '../../ctl/x.ts',
  '../../test/x.ts',
];
const BELOW_ADAPTERS = [
  ...roomsOf(['core', 'sys']),
  '../core/doctor/finding.ts',
  '../problems.ts',
  './x.ts',
  'node:fs',
];

const WALLS: Readonly<Record<string, Wall>> = {
  "core's words import one another": {
    files: ['agent/core/x.ts'],
    refused: [
      'node:fs',
      '../sys/clock.ts',
      '../log.ts',
      '../../ctl/x.ts',
      './decide/decide.ts',
      './doctor/finding.ts',
    ],
    allowed: ['./model.ts'],
  },
  "core's rooms of words import core's words": {
    files: ['alerts', 'audit', 'certs', 'deploy', 'events', 'haproxy-config', 'notify'].map(
      (room) => `agent/core/${room}/x.ts`,
    ),
    refused: [
      'node:fs',
      '../../sys/clock.ts',
      '../../log.ts',
      '../../../ctl/x.ts',
      '../decide/decide.ts',
      '../doctor/finding.ts',
    ],
    allowed: ['../model.ts', './x.ts'],
  },
  "the decision imports core's words and its own folder": {
    files: ['agent/core/decide/x.ts'],
    refused: ['node:fs', '../../sys/clock.ts', '../../../ctl/x.ts', '../doctor/finding.ts'],
    allowed: ['../model.ts', './early.ts'],
  },
  "the doctor's rules import one another": {
    files: ['agent/core/doctor/x.ts'],
    refused: ['node:fs', '../model.ts', '../decide/early.ts', '../../sys/clock.ts'],
    allowed: ['./finding.ts'],
  },
  'wire imports core and proto': {
    files: ['agent/wire/x.ts'],
    refused: [
      ...roomsOf([...ADAPTERS, 'sys', 'config', 'rpc', 'loop', 'gossip']),
      ...roomsOf(['upkeep', 'start', 'verbs', 'inspect']),
      ...TOP,
      '../log.ts',
      '../../ctl/x.ts',
      '../../test/x.ts',
      'node:fs',
      '@grpc/grpc-js',
    ],
    allowed: [
      '../core/model.ts',
      '../core/decide/explain.ts',
      '../core/doctor/finding.ts',
      '../../proto/gen/messages.js',
      'node:buffer',
      './fields.ts',
    ],
  },
  'adapters import core, sys and their own folder': {
    files: [...APART, 'sys'].map((name) => `agent/${name}/y.ts`),
    refused: [...roomsOf(ADAPTERS), ...ABOVE_ADAPTERS],
    allowed: BELOW_ADAPTERS,
  },
  'certificates are on top of HAProxy, never below it': {
    files: ['agent/certs/y.ts'],
    refused: [
      ...roomsOf(['audit', 'events', 'notify', 'carp', 'acme', 'witness', 'store', 'privilege']),
      ...ABOVE_ADAPTERS,
    ],
    allowed: [...roomsOf(['haproxy']), ...BELOW_ADAPTERS],
  },
  'a push of a configuration is on top of HAProxy, never below it': {
    files: ['agent/deploy/y.ts'],
    refused: [
      ...roomsOf(['audit', 'events', 'notify', 'carp', 'certs', 'acme', 'witness', 'store']),
      ...roomsOf(['privilege']),
      ...ABOVE_ADAPTERS,
    ],
    allowed: [...roomsOf(['haproxy']), ...BELOW_ADAPTERS],
  },
  'what is done as root is done for carp, haproxy and certs': {
    files: ['agent/privilege/y.ts'],
    refused: [
      ...roomsOf(['audit', 'events', 'notify', 'acme', 'witness', 'store']),
      ...ABOVE_ADAPTERS,
    ],
    allowed: [...roomsOf(['carp', 'haproxy', 'certs']), ...BELOW_ADAPTERS],
  },
  'a node stands on ports': {
    files: ['agent/node.ts'],
    refused: [
      ...[
        'audit',
        'events',
        'notify',
        'carp',
        'haproxy',
        'certs',
        'acme',
        'witness',
        'privilege',
        'rpc',
        'wire',
        'upkeep',
      ]
        .concat('start', 'verbs', 'inspect', 'config')
        .map((room) => `./${room}/x.ts`),
      './agent.ts',
      './main.ts',
      '../proto/gen/messages.js',
      '../ctl/x.ts',
      '../test/x.ts',
    ],
    refusedValues: ['./store/x.ts', './sys/x.ts'],
    allowed: ['./core/x.ts', './core/decide/x.ts', './gossip/x.ts', './loop/x.ts', './log.ts'],
    allowedTypes: ['./store/x.ts', './sys/x.ts'],
  },
  'the loop and gossip see the host through ports': {
    files: ['agent/loop/y.ts', 'agent/gossip/y.ts'],
    refused: [
      ...roomsOf([...ADAPTERS, 'rpc', 'wire', 'upkeep', 'start', 'verbs', 'inspect']),
      ...TOP,
      '../../proto/gen/messages.js',
      '../../ctl/x.ts',
      '../../test/x.ts',
    ],
    refusedValues: ['../sys/exec.ts'],
    allowed: ['../core/decide/decide.ts', '../problems.ts', './x.ts', 'node:crypto'],
    allowedTypes: ['../sys/clock.ts', '../log.ts', '../config/config.ts'],
  },
  'rpc carries what wire and core say': {
    files: ['agent/rpc/y.ts'],
    refused: [
      ...roomsOf([...ADAPTERS, 'loop', 'gossip', 'upkeep', 'start', 'verbs']),
      ...TOP,
      '../../ctl/x.ts',
      '../../test/x.ts',
    ],
    refusedValues: ['../sys/exec.ts'],
    allowed: [
      '../core/acts.ts',
      '../sys/turn.ts',
      '../wire/acts.ts',
      '../../proto/gen/messages.js',
      '@grpc/grpc-js',
      './x.ts',
    ],
    allowedTypes: ['../sys/clock.ts'],
  },
  'what is asked for, done unasked or looked at does not know how nodes speak': {
    files: ['agent/verbs/y.ts', 'agent/upkeep/y.ts', 'agent/inspect/y.ts'],
    refused: [
      ...roomsOf([
        'audit',
        'events',
        'notify',
        'rpc',
        'wire',
        'gossip',
        'start',
        'store',
        'witness',
      ]),
      ...TOP,
      '../../proto/gen/messages.js',
      '../../ctl/x.ts',
      '../../test/x.ts',
      '@grpc/grpc-js',
    ],
    allowed: [...roomsOf(['core', 'sys', 'haproxy', 'certs']), '../core/doctor/finding.ts'],
  },
  'start puts parts together, and is put into nothing but the agent': {
    files: ['agent/start/y.ts'],
    refused: [
      ...roomsOf(['wire', 'gossip']),
      '../agent.ts',
      '../main.ts',
      '../../proto/gen/messages.js',
      '../../ctl/x.ts',
      '../../test/x.ts',
      '@grpc/grpc-js',
    ],
    allowed: [...roomsOf([...ADAPTERS, 'rpc', 'loop', 'upkeep', 'verbs']), '../node.ts'],
  },
  'what agent.toml says is read with core and sys alone': {
    files: ['agent/config/y.ts'],
    refused: [
      ...roomsOf([...ADAPTERS, 'rpc', 'wire', 'loop', 'gossip', 'upkeep', 'start', 'verbs']),
      ...roomsOf(['inspect']),
      ...TOP,
      '../../proto/gen/messages.js',
      '../../ctl/x.ts',
      '../../test/x.ts',
    ],
    allowed: [...roomsOf(['core', 'sys']), './x.ts', 'valibot'],
  },
  "the agent's own files know nothing of ctl and proto": {
    files: ['agent', 'main', 'ends', 'log', 'problems', 'version'].map(
      (name) => `agent/${name}.ts`,
    ),
    refused: [
      './wire/x.ts',
      '../proto/gen/messages.js',
      '../ctl/x.ts',
      '../test/x.ts',
      '@grpc/grpc-js',
    ],
    allowed: ['./core/x.ts', './rpc/x.ts', './start/x.ts', 'node:fs'],
  },
  'ctl imports of the agent core, wire, its version, and how TOML is explained': {
    files: ['ctl/commands/y.ts'],
    refused: [
      ...[...ADAPTERS, 'sys', 'rpc', 'loop', 'gossip', 'upkeep', 'start', 'verbs', 'inspect'].map(
        (name) => `../../agent/${name}/x.ts`,
      ),
      ...['config', 'schema', 'conflicts'].map((name) => `../../agent/config/${name}.ts`),
      ...['agent', 'node', 'main', 'log', 'problems'].map((name) => `../../agent/${name}.ts`),
      '../../test/x.ts',
    ],
    allowed: [
      '../../agent/core/acts.ts',
      '../../agent/core/decide/explain.ts',
      '../../agent/core/doctor/finding.ts',
      '../../agent/wire/acts.ts',
      '../../agent/version.ts',
      '../../agent/config/positions.ts',
      '../../agent/config/issues.ts',
      '../../proto/gen/messages.js',
      '../session.ts',
    ],
  },
  "the same from ctl's own files": {
    files: ['ctl/y.ts'],
    refused: ['../agent/loop/x.ts', '../agent/config/config.ts', '../agent/log.ts', '../test/x.ts'],
    allowed: ['../agent/core/acts.ts', '../agent/version.ts', './session.ts'],
  },
};

const CORE = [
  'agent/core/globals.ts',
  'agent/core/decide/globals.ts',
  'agent/core/doctor/globals.ts',
  'agent/core/alerts/globals.ts',
];
const HOST = ['Date', 'setTimeout', 'setInterval', 'process', 'performance'];

/** A name for each path: two of one name would be an error of their own. */
const nameOf = (path: string): string => `T${path.replaceAll(/\W/g, '_')}`;
const value = (path: string): string => `import '${path}';`;
const type = (path: string): string => `import type { ${nameOf(path)} } from '${path}';`;
const both = (path: string): string[] => [value(path), type(path)];

const refusedLines = ({ refused, refusedValues = [] }: Wall): string[] => [
  ...refused.flatMap(both),
  ...refusedValues.map(value),
];
const allowedLines = ({ allowed, allowedTypes = [] }: Wall): string[] => [
  ...allowed.flatMap(both),
  ...allowedTypes.map(type),
];

const importers = Object.values(WALLS).flatMap((wall) =>
  wall.files.map((file) => [file, [...refusedLines(wall), ...allowedLines(wall)]] as const),
);
const PLANTED: ReadonlyMap<string, readonly string[]> = new Map([
  ...importers,
  ...CORE.map((file) => [file, HOST.map((name) => `void ${name};`)] as const),
  ['agent/upkeep/circle-a.ts', ["export * from './circle-b.ts';"]],
  ['agent/upkeep/circle-b.ts', ["export * from './circle-a.ts';"]],
  ['agent/upkeep/types-a.ts', ["import type { B } from './types-b.ts';"]],
  ['agent/upkeep/types-b.ts', ["import type { A } from './types-a.ts';"]],
  ['test/sim/types-a.ts', ["import type { B } from './types-b.ts';"]],
  ['test/sim/types-b.ts', ["import type { A } from './types-a.ts';"]],
]);

interface Diagnostic {
  readonly code: string;
  readonly filename: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}

/** What the linter, with the configuration of this tree, says of the planted files. */
function lint(): readonly Diagnostic[] {
  const root = mkdtempSync(join(tmpdir(), 'walls-'));
  try {
    copyFileSync(join(TREE, '.oxlintrc.json'), join(root, '.oxlintrc.json'));
    for (const [file, lines] of PLANTED) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), lines.join('\n'));
    }
    const program = join(TREE, 'node_modules/.bin/oxlint');
    const { stdout } = spawnSync(program, ['--format', 'json', '.'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    return (JSON.parse(stdout) as { readonly diagnostics: readonly Diagnostic[] }).diagnostics;
  } finally {
    rmSync(root, { recursive: true });
  }
}

const said = lint();

/** The planted lines of a file that a rule refuses, in their order. */
function refusedIn(file: string, rule: string): string[] {
  const lines = said
    .filter(({ code, filename }) => code === rule && filename === file)
    .flatMap(({ labels: [label] }) => label?.span.line ?? []);
  return [...new Set(lines)]
    .sort((a, b) => a - b)
    .map((line) => PLANTED.get(file)?.[line - 1] ?? '');
}

for (const [title, wall] of Object.entries(WALLS))
  test(title, (t) => {
    for (const file of wall.files)
      t.deepEqual(refusedIn(file, 'eslint(no-restricted-imports)'), refusedLines(wall), file);
  });

test('core has no clock, no timer and no process', (t) => {
  for (const file of CORE)
    t.deepEqual(refusedIn(file, 'eslint(no-restricted-globals)'), PLANTED.get(file), file);
});

test('nothing imports in a circle, not even types; those may in the simulation', (t) => {
  // What the planted breaches import makes circles too.
  const planted = ({ filename }: Diagnostic): boolean =>
    /\/(circle|types)-[ab]\.ts$/.test(filename);
  const circles = said.filter(({ code }) => code.endsWith('(no-cycle)')).filter(planted);
  t.deepEqual(circles.map(({ filename }) => filename).sort(), [
    'agent/upkeep/circle-a.ts',
    'agent/upkeep/circle-b.ts',
    'agent/upkeep/types-a.ts',
    'agent/upkeep/types-b.ts',
  ]);
});
