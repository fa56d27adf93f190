import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Certificates } from '../../agent/core/answers.ts';
import { escaped, forBash, splitLine } from '../../ctl/complete/shells.ts';
import { serverReading } from '../core/builders.ts';
import { desk, PROXYCTL } from './command.ts';
import { statusOf } from './statuses.ts';
import { onTerminal, terminalMissing } from './terminal.ts';

const PATHS = ['/ssl/www.pem', '/ssl/m y$(id)\'".pem', '/ssl/n;id&$x`y\'".pem'];
const certificates: Certificates = {
  node: 'haproxy01',
  intents: [],
  nodes: [
    {
      node: 'haproxy01',
      problem: '',
      certificates: PATHS.map((name) => ({
        name,
        path: name,
        memory: 'a',
        disk: 'a',
        served: null,
        sha256: null,
        notAfter: '2030-01-01T00:00:00Z',
        names: [],
        problem: '',
        previous: null,
        renewal: '',
      })),
    },
  ],
};

/** An operator's machine with proxyctl in PATH; what is not completion prints the words it got. */
async function machine(t: ExecutionContext) {
  const own = await desk(t, {
    status: () => Promise.resolve(statusOf()),
    certificates: () => Promise.resolve(certificates),
    servers: () =>
      Promise.resolve({
        node: 'haproxy01',
        intents: [],
        nodes: [
          {
            node: 'haproxy01',
            problem: '',
            servers: [serverReading(), serverReading({ backend: 'B:2', name: 'w:1' })],
          },
        ],
      }),
  });
  const bin = join(own.world.folder, 'bin');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'proxyctl'),
    `#!/bin/sh
case $1 in
__complete) exec '${process.execPath}' '${PROXYCTL}' "$@" ;;
esac
printf GOT; printf '[%s]' "$@"; echo
`,
  );
  chmodSync(join(bin, 'proxyctl'), 0o755);
  const env = {
    HOME: own.world.folder,
    PROXYCTL_CONFIG: own.config,
    PATH: `${bin}:${process.env['PATH'] ?? ''}`,
    LANG: 'C.UTF-8',
  };
  const complete = async (...words: string[]): Promise<string[]> => {
    const { code, stdout, stderr } = await own.run(['__complete', ...words], { env });
    t.deepEqual([code, stderr], [0, '']);
    return stdout.split('\n').slice(0, -1);
  };
  const remember = (): Promise<string[]> => complete('refresh', own.config, '');
  const script = async (shell: string): Promise<string> => {
    const path = join(own.world.folder, `script.${shell}`);
    writeFileSync(path, (await own.run(['completion', shell])).stdout);
    return path;
  };
  return { ...own, env, complete, remember, script };
}
const names = (lines: readonly string[]): string[] =>
  lines.map((line) => line.split('\t')[0] ?? '');

test('verbs, options and names of the place are offered, and words for paths', async (t) => {
  const { complete, remember } = await machine(t);
  await remember();
  const offered = async (...words: string[]): Promise<string[]> =>
    names(await complete('fish', ...words));
  t.deepEqual(await offered('fail'), ['failover', 'failback']);
  t.deepEqual(await offered('cert', 'ro'), ['rollback']);
  t.deepEqual(await offered('drain', '--wa'), ['--wait']);
  t.deepEqual(await offered('drain', ''), ['WEB', 'WEB/web1', 'B:2', 'B:2/w:1']);
  t.deepEqual(await offered('drain', 'WEB/web1', 'B'), ['B:2', 'B:2/w:1']);
  t.deepEqual(await offered('servers', 'W'), ['WEB']);
  t.deepEqual(await offered('failover', '--to', ''), ['haproxy01', 'haproxy02']);
  t.deepEqual(await offered('failover', '--to=haproxy02', '--vhid=1'), [
    '--vhid=1@wan',
    '--vhid=10.1.60.200',
  ]);
  t.deepEqual(await offered('explain', '1@'), ['1@wan']);
  t.deepEqual(await offered('cert', 'rollback', ''), PATHS);
  t.deepEqual(await offered('cert', 'push', ''), [':files']);
  t.deepEqual(await offered('context', 'import', ''), [':folders']);
  t.deepEqual(await offered('context', 'use', ''), ['web']);
  t.deepEqual(await offered('status', '--output', ''), ['table', 'json']);
  t.deepEqual(await offered('wait', '--for=owner=haproxy02'), ['--for=owner=haproxy02']);
  t.deepEqual(await offered('haproxy', 'show', 'in'), ['info']);
  t.deepEqual(await offered('status', ''), []);
});

test('without an agent nothing is asked for in the foreground, and nothing is printed', async (t) => {
  const { complete, server, world } = await machine(t);
  await server.close(0);
  t.deepEqual(await complete('bash', 'proxyctl drain ', '15'), []);
  t.deepEqual(names(await complete('zsh', 'dra')), ['drain']);
  const cache = join(world.folder, '.cache/proxyctl');
  // It is marked as asked for: the next key does not ask again.
  t.deepEqual(readdirSync(cache).length, 1);
});

test('what is remembered is 0600, forgotten when config.toml changes, and holds no control characters', async (t) => {
  const { complete, remember, world, config, server } = await machine(t);
  await remember();
  const cache = join(world.folder, '.cache/proxyctl');
  t.is(statSync(cache).mode & 0o777, 0o700);
  const files = readdirSync(cache).filter((name) => name.endsWith('.json'));
  t.true(files.length > 0);
  for (const file of files) t.is(statSync(join(cache, file)).mode & 0o777, 0o600);
  t.deepEqual(await complete('sh', 'explain', '1@'), ['1@wan']);
  await server.close(0);
  writeFileSync(config, `${readFileSync(config, 'utf8')}# other\n`);
  t.deepEqual(await complete('sh', 'explain', '1@'), []);
});

test('a line is taken apart as a shell does, and a name put back as one word', (t) => {
  t.deepEqual(splitLine(String.raw`proxyctl cert  rollback "a b" 'c"d' e\ f`).words, [
    'cert',
    'rollback',
    'a b',
    'c"d',
    'e f',
  ]);
  t.deepEqual(splitLine('proxyctl drain ').words, ['drain', '']);
  t.deepEqual(splitLine('proxyctl drain "W').quote, '"');
  for (const name of [...PATHS, 'a b', '$(touch x)', '`id`', 'a\\b', 'ä;b', "it's"])
    for (const [quote, close] of [
      ['', ''],
      ['"', '"'],
      ["'", "'"],
    ] as const) {
      // An interactive bash alone knows !, and keeps the backslash within double quotes.
      const line = `printf %s ${quote}${escaped(name, quote)}${close}`;
      const { stdout } = spawnSync('/bin/sh', ['-c', line], { encoding: 'utf8' });
      t.is(stdout, name, line);
    }
  t.deepEqual(forBash(['1@wan'], splitLine('proxyctl explain 1@w'), ' @:='), ['@wan']);
  t.deepEqual(forBash(['--to=haproxy01'], splitLine('proxyctl failover --to=h'), '='), [
    'haproxy01',
  ]);
  t.deepEqual(forBash(['1@wan'], splitLine('proxyctl explain 1@w'), ' '), ['1@wan']);
});

const has = (shell: string): boolean =>
  spawnSync('/bin/sh', ['-c', `command -v ${shell}`], { stdio: 'ignore' }).status === 0;
const on = (shell: string) => (has(shell) && !terminalMissing() ? test.serial : test.serial.skip);

/** What is typed, the end of what the shell makes of it, and the words the program got then. */
const TYPED: readonly (readonly [string, string, string])[] = [
  ['proxyctl drai\t', 'n', '[drain]'],
  ['proxyctl drain B:2/w\t', ':1', '[drain][B:2/w:1]'],
  ['proxyctl explain 1@w\t', 'an', '[explain][1@wan]'],
  // tcsh takes no answers with spaces.
  ['proxyctl cert rollback /ssl/m\t', '.pem', `[cert][rollback][${PATHS[1] ?? ''}]`],
  ['proxyctl cert rollback /ssl/n\t', '.pem', `[cert][rollback][${PATHS[2] ?? ''}]`],
];

const SHELLS: readonly (readonly [string, readonly string[], (script: string) => string])[] = [
  ['bash', ['--norc', '-i'], (script) => `PS1='RE''ADY> '; source ${script}`],
  [
    'zsh',
    ['-f', '-i'],
    (script) => `PS1='RE''ADY> '; autoload -Uz compinit; compinit -u -D; source ${script}`,
  ],
  ['tcsh', ['-f'], (script) => `source ${script}; set prompt='RE''ADY> '`],
  [
    'fish',
    ['--no-config', '-i'],
    (script) => `source ${script}; function fish_prompt; echo 'RE''ADY> '; end`,
  ],
];

/** Of fish and tcsh before they are told another; bash and zsh may say anything. */
const OWN_PROMPT = process.getuid?.() === 0 ? '# ' : '> ';

for (const [shell, options, begin] of SHELLS)
  on(shell)(
    `${shell} completes a verb, names with colon, at and quotes, and runs just that`,
    async (t) => {
      const { env, remember, script, world } = await machine(t);
      await remember();
      const path = spawnSync('/bin/sh', ['-c', `command -v ${shell}`], { encoding: 'utf8' });
      for (const [line, tail, got] of TYPED) {
        if (shell === 'tcsh' && line.includes('/ssl/m')) continue;
        const ended = await onTerminal(
          [path.stdout.trim(), ...options],
          world.folder,
          [
            [['fish', 'tcsh'].includes(shell) ? OWN_PROMPT : '', `${begin(await script(shell))}\r`],
            ['READY> ', line],
            [tail, '\r'],
            ['GOT', ''],
            ['READY> ', 'exit\r'],
          ],
          { ...env, TERM: shell === 'tcsh' ? 'vt100' : 'dumb' },
        );
        t.true(ended.screen.includes(`GOT${got}`), `${line}: ${ended.screen}`);
      }
    },
  );

test('sh has a function that prints what the next word may be', async (t) => {
  const { env, remember, script } = await machine(t);
  await remember();
  const line = `. ${await script('sh')}; proxyctl_words drain W`;
  const { stdout } = spawnSync('/bin/sh', ['-c', line], { env, encoding: 'utf8' });
  t.is(stdout, 'WEB\nWEB/web1\n');
});
