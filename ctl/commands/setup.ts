import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Role } from '../../agent/core/acts.ts';
import { envelopeText } from '../json/envelope.ts';
import { asFailure } from '../failure.ts';
import type { Finish } from '../options.ts';
import { failed, newRequestId } from '../session.ts';
import type { SetupEnd, SetupOptions } from '../setup/main.ts';
import type { Streams } from '../streams.ts';

interface PkiOptions {
  readonly output: 'table' | 'json';
  readonly dir: string;
}
interface IssueOptions extends PkiOptions {
  readonly role?: Role;
  readonly days?: number;
  readonly newKey?: boolean;
  readonly out?: string;
}

const SETUP = `
First on a machine of yours:
  proxyctl setup --example > answers.toml       edit it
  proxyctl setup answers.toml --out web         both hosts, CA and certificates
then on each host, with its own folder only:
  proxyctl setup --write web/haproxy01          shows the differences, asks
It restarts nothing: the commands to run are printed. docs/operations.md,
"First installation", goes through it.`;

/** `proxyctl setup` and `proxyctl pki init|issue|list`: they ask no agent. */
export function addSetup(program: Command, io: Streams, finish: Finish): void {
  printing(
    program
      .command('setup [ANSWERS]')
      .description("both hosts' configuration, from a short answer file")
      .option('--example', 'print an answer file with every key')
      .option('--out <DIR>', 'write the files of both hosts there; without ANSWERS it asks')
      .option('--pki <DIR>', 'where the CA is, or is to be; default: pki in --out')
      .option('--write <DIR>', "put a host's files in place, after showing the differences")
      .option('--host <NAME>', 'with --write: whose files; default: this host')
      .option('--root <DIR>', 'with --write: below this directory, to try it; default: /')
      .option('--yes', 'with --write: do not ask')
      .addOption(
        new Option('--skip <PATH>', 'with --write: leave this file alone, can be repeated')
          .argParser((path: string, before: readonly string[]) => [...before, path])
          .default([], 'none'),
      ),
  )
    .addHelpText('after', SETUP)
    .action(async (answers: string | undefined, options: SetupOptions) =>
      finish(
        await offline('setup', options, io, async (own) => {
          const { setup } = await import('../setup/verbs.ts');
          return setup(answers, options, own, Date.now());
        }),
      ),
    );
  addPki(program, io, finish);
}

function addPki(program: Command, io: Streams, finish: Finish): void {
  const pki = program.command('pki').description("the pair's own certificates").helpCommand(false);
  const dir = (command: Command): Command =>
    printing(command.option('--dir <DIR>', 'where the CA is kept; default: pki', 'pki'));
  const done = (result: object, changed = true): SetupEnd => ({ code: 0, changed, result });
  dir(
    pki
      .command('init')
      .description('make the CA of a pair, once')
      .requiredOption('--pair <NAME>', 'as `pair` in agent.toml'),
  ).action(async (options: PkiOptions & { readonly pair: string }) =>
    finish(
      await offline('pki init', options, io, async (own) => {
        const { pkiInit } = await import('../setup/verbs.ts');
        return done(await pkiInit(options.dir, options.pair, own, Date.now()));
      }),
    ),
  );
  dir(
    pki
      .command('issue <KIND> <NAME>')
      .description('a certificate for a node or an operator, or renew it')
      .addOption(
        new Option('--role <ROLE>', 'of an operator: viewer, operator or admin').choices([
          'viewer',
          'operator',
          'admin',
        ]),
      )
      .addOption(
        new Option('--days <DAYS>', 'how long it is good, 1 to 825; default: 397').argParser(days),
      )
      .option('--new-key', 'a new key too; without it a renewal keeps the key')
      .option('--out <DIR>', 'copies there, with ca.pem, named as agent.toml has them'),
  ).action(async (kind: string, name: string, options: IssueOptions) =>
    finish(
      await offline('pki issue', options, io, async (own) => {
        const { pkiIssue } = await import('../setup/verbs.ts');
        return done(await pkiIssue(kind, name, options, own, Date.now()));
      }),
    ),
  );
  dir(pki.command('list').description('what was issued, and when it ends')).action(
    async (options: PkiOptions) =>
      finish(
        await offline('pki list', options, io, async (own) => {
          const { pkiList } = await import('../setup/verbs.ts');
          return done(pkiList(options.dir, own, Date.now()), false);
        }),
      ),
  );
}

/** -o and --json alone: these verbs reach no agent. */
const printing = (command: Command): Command =>
  command
    .addOption(
      new Option('-o, --output <FORMAT>', 'table (default) or json, one line (docs/json.md)')
        .choices(['table', 'json'])
        .default('table'),
    )
    .addOption(new Option('--json', 'the same as -o json').implies({ output: 'json' }));

function days(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 825) return value;
  throw new InvalidArgumentError('A whole number from 1 to 825.');
}

/** Runs a verb that asks nobody; with JSON its own lines are left out and the envelope printed. */
async function offline(
  verb: string,
  { output }: { readonly output: 'table' | 'json' },
  io: Streams,
  perform: (own: Streams) => Promise<SetupEnd>,
): Promise<number> {
  const requestId = newRequestId();
  const startedMs = performance.now();
  const json = output === 'json';
  try {
    const own = json ? { ...io, out: () => undefined } : io;
    const { code, changed, result } = await perform(own);
    const tookMs = performance.now() - startedMs;
    if (json)
      io.out(
        envelopeText({
          verb,
          ok: true,
          changed,
          requestId,
          answeredBy: null,
          tookMs,
          result,
          nodes: [],
          error: null,
        }),
      );
    return code;
  } catch (error) {
    const tookMs = performance.now() - startedMs;
    return failed(verb, { output }, io, asFailure(error), requestId, tookMs);
  }
}
