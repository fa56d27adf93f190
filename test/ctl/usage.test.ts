import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { desk, overTls, steady, unbroken } from './command.ts';
import { silentProgram, verbsOf } from './verbs.ts';

test('without a verb: the whole help on standard error, 2; with --help on standard output, 0', async (t) => {
  const { run } = await desk(t);
  const [none, help] = [await run([]), await run(['--help'])];
  t.deepEqual([none.code, none.stdout, help.code, help.stderr], [2, '', 0, '']);
  t.is(help.stdout, none.stderr);
  const lines = help.stdout.split('\n');
  t.true(lines.length <= 96 && lines.every((line) => line.length <= 80), help.stdout);
  const verbs = lines.flatMap(
    (line) => /^  ([a-z]+(?: [a-z-]+)?)(?: [[A-Z.\]]+)*  /.exec(line)?.[1] ?? [],
  );
  t.deepEqual(
    verbs.filter((verb) => !verb.startsWith('proxyctl')),
    [
      'status',
      'top',
      'explain',
      'history',
      'events',
      'audit',
      'doctor',
      'diff',
      'wait',
      'notify test',
      'failover',
      'failback',
      'drill failover',
      'drill haproxy',
      'drill agent',
      'maintenance on',
      'maintenance off',
      'pause',
      'resume',
      'servers',
      'drain',
      'ready',
      'maint',
      'weight',
      'haproxy',
      'config diff',
      'config check',
      'config push',
      'config history',
      'config show',
      'cert push',
      'cert rollback',
      'cert list',
      'cert show',
      'cert verify',
      'acme present',
      'acme cleanup',
      'acme list',
      'context import',
      'context list',
      'context show',
      'context use',
      'context add',
      'context remove',
      'completion',
      'setup',
      ...PKI,
    ],
  );
});

const PKI = ['init', 'issue', 'renew', 'list', 'enroll', 'approve', 'revoke', 'publish']
  .concat('rotate-ca')
  .map((word) => `pki ${word}`);
const VERBS = [
  'status',
  'wait',
  'events',
  'audit',
  'failover',
  'failback',
  'drill failover',
  'drill haproxy',
  'drill agent',
  'doctor',
  'notify test',
  'servers',
  'drain',
  'weight',
  'cert push',
  'cert list',
  'context list',
  'context import',
  'context add',
  'completion',
];

test('every verb has a help of at most 80 columns', async (t) => {
  const { run } = await desk(t);
  for (const verb of [...VERBS, 'setup', ...PKI]) {
    const { code, stdout, stderr } = await run([...verb.split(' '), '--help']);
    t.deepEqual([code, stderr], [0, '']);
    t.true(stdout.startsWith(`Usage: proxyctl ${verb} `), stdout);
    t.true(
      stdout.split('\n').every((line) => line.length <= 80),
      stdout,
    );
  }
});

test('options of every verb may stand before it, and help VERB and version are verbs', async (t) => {
  const { run } = await desk(t);
  const [behind, before] = [
    await run(['context', 'list', '-o', 'json']),
    await run(['-o', 'json', 'context', 'list']),
  ];
  const steadied = (text: string): string => text.replaceAll(/[0-9a-f]{12}|_ms":\d+/g, '');
  t.is(steadied(before.stdout), steadied(behind.stdout));
  t.is((await run(['--context=nowhere', 'status'])).code, 2);
  t.regex((await run(['--context', 'nowhere', 'status'])).stderr, /no context nowhere/);
  t.deepEqual(await run(['help', 'cert', 'push']), await run(['cert', 'push', '--help']));
  t.deepEqual(await run(['help']), await run(['--help']));
  t.deepEqual(await run(['version']), await run(['--version']));
});

test('the help of every verb is whole sentences, with examples and exit codes', (t) => {
  const poor = verbsOf(silentProgram()).filter(([, one]) => {
    let text = '';
    one.configureOutput({ writeOut: (more) => (text += more) });
    one.outputHelp();
    return !(
      /\n\n[A-Z][^]*\.\n/.test(text) &&
      text.includes('Examples:') &&
      /Exit codes:/.test(text)
    );
  });
  t.deepEqual(
    poor.map(([words]) => words),
    [],
  );
});

test('--version says which', async (t) => {
  const { run } = await desk(t);
  t.deepEqual(await run(['--version']), { code: 0, stdout: 'proxyctl 0.1.0\n', stderr: '' });
});

const MISTAKES: readonly (readonly [string, string])[] = [
  ['stauts', "unknown command 'stauts' / did you mean status? See proxyctl --help"],
  ['nonsense', "unknown command 'nonsense' / proxyctl --help"],
  [
    'mainttenance on x',
    "unknown command 'mainttenance' / did you mean maintenance? See proxyctl --help",
  ],
  // Words of another level are none of this one.
  ['psuh x', "unknown command 'psuh' / proxyctl --help"],
  ['rollbakc', "unknown command 'rollbakc' / proxyctl --help"],
  [
    'cert status',
    "unknown command 'status' / give push, rollback, list, show, verify. See proxyctl cert --help",
  ],
  ['cert', 'cert needs one more word / proxyctl cert --help'],
  ['cert psuh x', "unknown command 'psuh' / did you mean push? See proxyctl cert --help"],
  ['drain', 'drain wants a target / proxyctl drain WEB/web1, or --host ADDRESS'],
  [
    'status now',
    "too many arguments for 'status'. Expected 0 arguments but got 1. / proxyctl status --help",
  ],
  [
    'failover --dryrun',
    "unknown option '--dryrun' / did you mean --dry-run? See proxyctl failover --help",
  ],
  [
    '--dry-run failover',
    "unknown option '--dry-run' / before the verb stand only --context, --config, -o, --json, --timeout",
  ],
  ['failover --to', "option '--to <NODE>' argument missing / proxyctl failover --help"],
  [
    'failover --until yesterday',
    "option '--until <TIME>' argument 'yesterday' is invalid. yesterday is not understood; give 2h, 18:00, or a time to come with its zone like 2027-01-31T18:00:00Z / proxyctl failover --help",
  ],
  [
    'failover --until 2020-01-01T00:00:00Z',
    "option '--until <TIME>' argument '2020-01-01T00:00:00Z' is invalid. 2020-01-01T00:00:00Z is past; give 2h, 18:00, or a time to come with its zone like 2027-01-31T18:00:00Z / proxyctl failover --help",
  ],
  [
    'status --timeout 5',
    "option '--timeout <DURATION>' argument '5' is invalid. Give it like 500ms, 30s, 5m or 2h. / proxyctl status --help",
  ],
  [
    'status -o yaml',
    "option '-o, --output <FORMAT>' argument 'yaml' is invalid. Allowed choices are table, json. / proxyctl status --help",
  ],
  [
    'drain WEB/web1 --accept-risk=last-servr',
    "option '--accept-risk <NAME>' argument 'last-servr' is invalid. no risk is called \"last-servr\"; did you mean last-server? / proxyctl drain --help",
  ],
  [
    'failover --accept-risk everything',
    "option '--accept-risk <NAME>' argument 'everything' is invalid. no risk is called \"everything\"; there are last-server, peer-unknown, peer-unhealthy, names-lost, stale-view, local-changes / proxyctl failover --help",
  ],
  [
    'failover --request-id=',
    "option '--request-id <ID>' argument '' is invalid. It must not be empty. / proxyctl failover --help",
  ],
];

test('a mistake on the command line is 2 with what to do, and nobody is asked', async (t) => {
  const { run, server } = await desk(t);
  const said = [];
  for (const [line] of MISTAKES) {
    const { code, stdout, stderr } = await run(line.split(' '));
    t.deepEqual([line, code, stdout], [line, 2, '']);
    t.true(
      stderr.split('\n').every((one) => one.length <= 80),
      stderr,
    );
    said.push([
      line,
      unbroken(stderr)
        .replace(/^proxyctl: /, '')
        .replace('\n  do      ', ' / ')
        .trimEnd(),
    ]);
  }
  t.deepEqual(said, MISTAKES);
  t.deepEqual(server.heard.items, []);
});

const refused = (stdout: string, stderr: string) => ({ code: 2, stdout, stderr });

test('which context: none configured, none chosen, an unknown one', async (t) => {
  const { run, world } = await desk(
    t,
    {},
    (_world, { socketPath }) =>
      `[contexts.web]\nsocket = "${socketPath}"\n[contexts.lab]\nsocket = "lab.sock"\n`,
  );
  const said = async (argv: string[], env: Record<string, string> = {}) =>
    steady(await run(['status', ...argv], { env }), world);
  t.deepEqual(
    await said([]),
    refused('', 'proxyctl: no context is chosen\n  do      --context NAME; there are web, lab\n'),
  );
  t.deepEqual(
    await said([], { PROXYCTL_CONTEXT: 'webs' }),
    refused('', 'proxyctl: DIR/config.toml has no context webs\n  do      did you mean web?\n'),
  );
  t.deepEqual(
    await said(['--context', 'production']),
    refused(
      '',
      'proxyctl: DIR/config.toml has no context production\n  do      there are web, lab\n',
    ),
  );
  t.is((await said(['--context', 'web'], { PROXYCTL_CONTEXT: 'lab' })).code, 0);
  const none = await said(['--config', join(world.folder, 'none.toml')]);
  t.is(none.code, 2);
  t.regex(none.stderr, /^proxyctl: DIR\/none\.toml cannot be read\n {2}cause {3}ENOENT/);
});

test('every mistake of config.toml at once', async (t) => {
  const { run, world } = await desk(
    t,
    {},
    () => `curent = "web"
[contexts.web]
agents = { haproxy01 = "haproxy01", haproxy02 = 7660 }
sockt = "x"
ca = ""
`,
  );
  t.deepEqual(
    steady(await run(['status']), world),
    refused(
      '',
      `proxyctl: DIR/config.toml has 5 mistakes
  cause   contexts.web.agents.haproxy01: must be IP:PORT or [IP]:PORT; contexts.web.agents.haproxy02: must be IP:PORT or [IP]:PORT, or a list of them; contexts.web.ca: must not be empty; contexts.web.sockt: no such key, did you mean socket?; curent: no such key, did you mean current?
  do      mend them; man proxyctl, "FILES", has an example
`,
    ),
  );
});

test('a config.toml that is no TOML: the line', async (t) => {
  const { run, world } = await desk(t, {}, () => '[contexts.web]\nsocket = here\n');
  const { code, stderr } = steady(await run(['status']), world);
  t.is(code, 2);
  t.regex(
    stderr,
    /^proxyctl: DIR\/config\.toml is no TOML\n {2}cause {3}line 2: .+\n {2}do {6}mend/,
  );
});

test('a key that others can read, or a file that is not there, is refused before anyone is asked', async (t) => {
  const { run, world, config } = await desk(t, {}, overTls('viewer'));
  const key = join(world.folder, 'anna.key');
  chmodSync(key, 0o640);
  t.deepEqual(
    steady(await run(['status']), world),
    refused(
      '',
      `proxyctl: DIR/anna.key can be read by others
  cause   its mode is 0640
  do      chmod 600 DIR/anna.key
`,
    ),
  );
  writeFileSync(config, '[contexts.web]\nagents = { a = "127.0.0.1:1" }\nca = "no.pem"\n');
  t.deepEqual(
    steady(await run(['status']), world),
    refused(
      '',
      'proxyctl: DIR/config.toml: contexts.web has no cert, no key\n  do      an agent over TCP needs ca, cert and key\n',
    ),
  );
});
