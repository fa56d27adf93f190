import type { Command } from 'commander';
import { configPath } from '../connect/contexts.ts';
import type { Kept, Shown } from '../contexts/verbs.ts';
import type { Tried } from '../contexts/try.ts';
import { contextsResult, importedResult, keptResult } from '../json/contexts.ts';
import { shownResult, triedRows } from '../json/contexts.ts';
import type { Finish } from '../options.ts';
import { table } from '../render/table.ts';
import { wrapped } from '../render/wrapped.ts';
import type { SetupEnd } from '../setup/main.ts';
import type { Streams } from '../streams.ts';
import { offline, printing } from './offline.ts';

interface ContextOptions {
  readonly output: 'table' | 'json';
  readonly config?: string;
  readonly context?: string;
}

const IMPORT = `
FOLDER is what setup made below operators/, or pki issue and pki approve with
--out; it is not needed afterwards. Imported again it renews the files.

Examples:
  proxyctl context import web/operators/anna
  proxyctl context import anna --agent haproxy01=10.1.60.201:7660 \\
    --agent haproxy02=10.1.60.202:7660

Exit codes: 0 every agent answers, 6 some do not, 10 none does; it is imported
in each of these. 2 something of it is wrong, 9 another pair has that name.`;

/** `proxyctl context list|show|import|add|use|remove`. */
export function addContexts(program: Command, io: Streams, finish: Finish): void {
  const context = program
    .command('context')
    .description('the agents proxyctl can talk to')
    .helpCommand(false);
  const verb = (usage: string, description: string): Command =>
    printing(context.command(usage).description(description)).option(
      '--config <FILE>',
      'another config.toml (PROXYCTL_CONFIG)',
    );
  const fileOf = ({ config }: ContextOptions): string =>
    configPath({ config: config ?? null, context: null, env: process.env });
  const run = async (
    name: string,
    options: ContextOptions,
    perform: (own: Streams) => Promise<SetupEnd>,
  ): Promise<void> => finish(await offline(`context ${name}`, options, io, perform));

  agents(verb('import <FOLDER>', 'what setup or pki made for you; asks each agent'))
    .option('--name <NAME>', 'call the context so; default: the name of the pair')
    .addHelpText('after', IMPORT)
    .action(
      (
        folder: string,
        options: ContextOptions & { readonly name?: string; readonly agent: readonly string[] },
      ) =>
        run('import', options, async (own) => {
          const { importContext } = await import('../contexts/verbs.ts');
          const { agent: said, name } = options;
          const more = { agents: said, ...(name === undefined ? {} : { name }) };
          const done = await importContext(fileOf(options), folder, more, Date.now());
          for (const warning of done.warnings) io.err(wrapped(`warning   ${warning}\n`));
          const until = new Date(done.notAfterMs).toISOString().slice(0, 10);
          own.out(`context ${done.name}: ${done.who}, until ${until}, in ${done.file}\n\n`);
          own.out(`${triedTable(done.tried)}\n`);
          const rows = triedRows(done);
          const well = rows.filter(({ ok }) => ok).length;
          if (!done.current)
            own.err(`proxyctl context use ${done.name} makes it the current one\n`);
          const code = well === rows.length ? 0 : well > 0 ? 6 : 10;
          if (code === 10)
            own.err('It is imported, and no agent answers: proxyctl status tries them again\n');
          const result = importedResult(done);
          return { code, changed: done.changed, ok: code === 0, result, nodes: rows };
        }),
    );
  verb('list', 'the contexts of config.toml')
    .option('--context <NAME>', 'mark this one (PROXYCTL_CONTEXT)')
    .action((options: ContextOptions) =>
      run('list', options, async (own) => list(fileOf(options), options, own)),
    );
  verb('show [NAME]', 'where its agents are, and what you may do there')
    .option('--context <NAME>', 'the same as NAME (PROXYCTL_CONTEXT)')
    .action((name: string | undefined, options: ContextOptions) =>
      run('show', options, async (own) => {
        const { showContext } = await import('../contexts/verbs.ts');
        const asked = name ?? options.context ?? null;
        const { env } = process;
        const shown = await showContext(options.config ?? null, fileOf(options), asked, env);
        own.out(`${shownLines(shown)}\n`);
        return { code: 0, changed: false, result: shownResult(shown) };
      }),
    );
  verb('use <NAME>', 'make it the current one').action((name: string, options: ContextOptions) =>
    run('use', options, async (own) => {
      const { useContext } = await import('../contexts/verbs.ts');
      return kept(useContext(fileOf(options), name), own, 'current');
    }),
  );
  agents(verb('add <NAME>', 'a context by hand; nobody is asked'))
    .option('--socket <PATH>', "this host's agent instead of --agent")
    .option('--ca <FILE>', "the pair's CA")
    .option('--cert <FILE>', 'your certificate')
    .option('--key <FILE>', 'its key, mode 0600')
    .action((name: string, options: ContextOptions & { readonly agent: readonly string[] }) =>
      run('add', options, async (own) => {
        const { addContext } = await import('../contexts/verbs.ts');
        return kept(addContext(fileOf(options), name, options), own, 'added');
      }),
    );
  verb('remove <NAME>', 'forget it; certificate and key stay, and are named').action(
    (name: string, options: ContextOptions) =>
      run('remove', options, async (own) => {
        const { removeContext } = await import('../contexts/verbs.ts');
        const done = removeContext(fileOf(options), name);
        const end = kept(done, own, 'removed');
        if (done.files.length > 0) own.err(`its files stay: ${done.files.join(' ')}\n`);
        return end;
      }),
  );
}

/** --agent, which may be said again. */
const agents = (command: Command): Command =>
  command.option(
    '--agent <NODE=IP:PORT>',
    'where an agent is; again for each, and for its other address',
    (one: string, before: readonly string[]) => [...before, one],
    [] as readonly string[],
  );

function kept(done: Kept, io: Streams, word: string): SetupEnd {
  io.out(`context ${done.name}: ${done.changed ? word : `already ${word}`}, in ${done.file}\n`);
  return { code: 0, changed: done.changed, result: keptResult(done) };
}

async function list(path: string, options: ContextOptions, io: Streams): Promise<SetupEnd> {
  const { readConfigFile } = await import('../connect/config-file.ts');
  const { current, contexts } = readConfigFile(path);
  const chosen = options.context ?? process.env['PROXYCTL_CONTEXT'] ?? current ?? null;
  const found = Object.entries(contexts).map(([name, { agents, sockets, socket }]) => ({
    name,
    current: name === chosen,
    agents: [
      ...(socket === undefined ? [] : [socket]),
      ...Object.values(sockets ?? {}),
      ...Object.values(agents ?? {}).flat(),
    ],
  }));
  const rows = found.map((one) => [one.current ? '*' : '', one.name, one.agents.join(' ')]);
  io.out(`${table(['', 'CONTEXT', 'AGENTS'], rows)}\n`);
  return { code: 0, changed: false, result: contextsResult(path, found) };
}

const triedTable = (tried: readonly Tried[]): string =>
  tried
    .map(({ node, address, version, tookMs, problem }) => {
      const answer =
        problem === ''
          ? `answers, ${version === null ? 'version unknown' : version}, ${tookMs} ms`
          : problem;
      return wrapped(`${node === '' ? 'agent' : node}  ${address}  ${answer}`);
    })
    .join('\n');

function shownLines({ name, current, file, agents, files, who, notAfterMs }: Shown): string {
  const until = notAfterMs === null ? '' : new Date(notAfterMs).toISOString().slice(0, 10);
  const rows: (readonly [string, string])[] = [
    ['context', `${name}${current ? ', the current one' : ''}`],
    ['file', file],
    ...agents.map(({ node, address }) => ['agent', `${node} ${address}`.trim()] as const),
    ...(who === null ? [] : [['you', `${who}, until ${until}`] as const]),
    ...Object.entries(files ?? {}),
  ];
  return rows.map(([word, text]) => `${word.padEnd(9)} ${text}`).join('\n');
}
