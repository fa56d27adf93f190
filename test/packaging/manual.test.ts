import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { Command } from 'commander';
import { parse } from 'smol-toml';
import { parseConfig } from '../../agent/config/config.ts';
import { agentToml } from '../../agent/config/schema.ts';
import { silentProgram, verbsOf } from '../ctl/verbs.ts';
import { TREE } from './clones.ts';
import { items, longOption, PAGES, pagePath, section, type Item } from './manual.ts';

const MANDOC = '/usr/bin/mandoc';
const withMandoc = existsSync(MANDOC) ? test : test.skip;

withMandoc('the man pages pass mandoc -T lint', (t) => {
  for (const page of PAGES) {
    const { stdout, status } = spawnSync(MANDOC, ['-T', 'lint', pagePath(page)], {
      encoding: 'utf8',
    });
    // Pages of FreeBSD and of ourselves are not on the machine of the test.
    const said = stdout
      .split('\n')
      .filter((line) => line !== '' && !line.includes('referenced manual not found'));
    t.deepEqual(said, [], page);
    t.true(status === 0 || status === 1, page);
  }
});

const verbs = verbsOf(silentProgram());
const longOf = (command: Command): string[] =>
  command.options.flatMap(({ long, hidden }) => (typeof long === 'string' && !hidden ? long : []));
const documented = (source: string): string[] =>
  items(source)
    .flatMap((item) => longOption(item) ?? [])
    .filter((option) => option !== '--help');

const OPTIONS = '.Sh OPTIONS';
const everyVerb = documented(
  section('proxyctl.1', '.Ss Options of every verb', '.Ss Options of verbs that change something'),
);
const changing = documented(
  section('proxyctl.1', '.Ss Options of verbs that change something', '.Sh ENVIRONMENT'),
);

/** Verbs of the page with the options that stand under each. */
function ofPage(): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  let verb = '';
  for (const item of items(section('proxyctl.1', '.Sh VERBS', OPTIONS))) {
    const words = /^Cm ([a-z-]+(?: [a-z-]+)*)/.exec(item.head)?.[1];
    const option = longOption(item);
    if (words !== undefined) found[(verb = words)] = [];
    else if (option !== null) found[verb]?.push(option);
  }
  return found;
}

test('proxyctl(1) has every verb of the program with its own options, and no other', (t) => {
  const ofProgram = verbs.map(([verb, command]) => {
    const all = longOf(command);
    const elsewhere = all.includes('--dry-run') ? [...everyVerb, ...changing] : everyVerb;
    return [verb, all.filter((option) => !elsewhere.includes(option)).sort()];
  });
  const page = Object.entries(ofPage()).map(([verb, options]) => [verb, options.sort()]);
  t.deepEqual(Object.fromEntries(page), Object.fromEntries(ofProgram));
});

test('proxyctl(1) has the options of every verb, and of those that change something', (t) => {
  const [status, failover] = ['status', 'failover'].map((verb) =>
    longOf(new Map(verbs).get(verb) ?? buildNothing(verb)),
  );
  t.deepEqual(
    everyVerb.filter((option) => status?.includes(option) !== true),
    [],
  );
  t.deepEqual(
    changing.filter((option) => failover?.includes(option) !== true),
    [],
  );
});

const buildNothing = (verb: string): never => {
  throw new Error(`no verb ${verb}`);
};

test('proxyctl(1) has the arguments of every verb as the program wants them', (t) => {
  const heads = new Map(
    items(section('proxyctl.1', '.Sh VERBS', OPTIONS)).map(({ head }) => [
      /^Cm ([a-z-]+(?: [a-z-]+)*)/.exec(head)?.[1] ?? '',
      head.replaceAll(/ O[opc] .*| Oo .*/g, ''),
    ]),
  );
  const wrong = verbs.filter(([verb, command]) => {
    const required = command.registeredArguments.filter((one) => one.required);
    const named = [...(heads.get(verb) ?? '').matchAll(/\bAr (\S+)/g)].map(([, name]) => name);
    const wanted = required.map((one) => one.name().toLowerCase());
    return named.join(' ') !== wanted.join(' ');
  });
  t.deepEqual(
    wrong.map(([verb]) => verb),
    [],
  );
});

test('proxyctl(1) and json.md have the same exit codes', (t) => {
  const page = items(section('proxyctl.1', '.Sh EXIT STATUS', '.Sh SIGNALS')).map(
    ({ head }) => head,
  );
  const json = readFileSync(join(TREE, 'docs/json.md'), 'utf8');
  const table = [...json.matchAll(/^\| (\d+) \|/gm)].map(([, code]) => code);
  t.deepEqual(page, table as string[]);
});

test('proxyagent(8) has the options the program knows', (t) => {
  const program = fileURLToPath(new URL('../../agent/main.js', import.meta.url));
  const { stderr } = spawnSync(process.execPath, [program, '--nonsense'], { encoding: 'utf8' });
  const [, usage = ''] = stderr.split('usage:');
  const known = [...usage.matchAll(/--([a-z-]+)/g)].map(([option]) => option);
  t.deepEqual(documented(section('proxyagent.8', '.Sh DESCRIPTION', '.Sh SIGNALS')), known);
});

interface Key {
  readonly path: string;
  /** Undefined: none is written in the schema. */
  readonly standard: unknown;
}

/** Every key of a schema: optional ones with what they are without being given. */
function keysOf(schema: unknown, path = '', standard?: unknown): Key[] {
  const one = schema as Readonly<Record<string, unknown>>;
  if (one['wrapped'] !== undefined) return keysOf(one['wrapped'], path, one['default']);
  if (one['entries'] !== undefined)
    return Object.entries(one['entries'] as object).flatMap(([key, value]) =>
      keysOf(value, path === '' ? key : `${path}.${key}`),
    );
  const item = one['item'] as Readonly<Record<string, unknown>> | undefined;
  if (item?.['entries'] !== undefined) return keysOf(item, path);
  return [{ path, standard }];
}

const ofManual = new Map(
  items(section('proxyctl-agent.toml.5', '.Sh DESCRIPTION', '.Sh FILES')).map(
    (item): [string, Item] => [item.head.replace(/^Va /, ''), item],
  ),
);

test('proxyctl-agent.toml(5) has every key of the schema, and no other', (t) => {
  const keys = keysOf(agentToml).map(({ path }) => path);
  t.deepEqual([...ofManual.keys()].sort(), keys.sort());
});

test('proxyctl-agent.toml(5) tells the default of every key', (t) => {
  const untold = keysOf(agentToml).filter(({ path, standard }) => {
    const [, told = ''] = (ofManual.get(path)?.body ?? '').split(/^Default:/m);
    if (standard === undefined)
      return !/Required\.|^Default: /m.test(ofManual.get(path)?.body ?? '');
    const values = typeof standard === 'object' ? Object.values(standard ?? {}) : [standard];
    const empty = values.length === 0 || standard === '';
    return empty ? !/\bempty\b/.test(told) : values.some((value) => !told.includes(String(value)));
  });
  t.deepEqual(untold, []);
});

const SAMPLE = readFileSync(join(TREE, 'packaging/agent.toml.sample'), 'utf8');
const given = SAMPLE.replaceAll(/^#(?=\[\[|[a-z_]+ *= )/gm, '');
const parsed = (text: string) => parseConfig(text, { file: 'agent.toml', hostname: 'haproxy01' });

const withoutNotify = ({ notify: _notify, ...others }: Awaited<ReturnType<typeof parsed>>) =>
  others;

test('the sample shows every key, and what is commented out is the default', async (t) => {
  const shown = (value: unknown, path = ''): string[] => {
    if (Array.isArray(value) && value.every((one) => typeof one === 'object') && value.length > 0)
      return shown(value[0], path);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [path];
    if (Object.keys(value).length === 0) return [path];
    return Object.entries(value).flatMap(([key, inner]) =>
      shown(inner, path === '' ? key : `${path}.${key}`),
    );
  };
  t.deepEqual(
    shown(parse(given)).sort(),
    keysOf(agentToml)
      .map(({ path }) => path)
      .sort(),
  );
  const example = [{ name: 'wan', interface: 'vtnet0', vhids: [1], baseAdvskew: 0 }];
  const standard = await parsed(SAMPLE);
  const acme = {
    ...standard.acme,
    directory: 'https://acme-v02.api.letsencrypt.org/directory',
    certificates: [{ names: ['www.example.net'], path: '/usr/local/etc/ssl/site.pem' }],
  };
  const { notify, ...others } = await parsed(given);
  t.deepEqual(others, { ...withoutNotify(standard), networks: example, acme });
  t.is(notify.length, 1);
});
