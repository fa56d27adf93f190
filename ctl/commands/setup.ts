import { Option, type Command } from 'commander';
import type { Finish } from '../options.ts';
import type { SetupOptions } from '../setup/main.ts';
import type { Streams } from '../streams.ts';
import { offline, printing } from './offline.ts';
import { addPki } from './pki.ts';

const SETUP = `
First on a machine of yours:
  proxyctl setup --example > answers.toml       edit it
  proxyctl setup answers.toml --out web         both hosts, CA and certificates
then on each host, with its own folder only:
  proxyctl setup --write web/haproxy01          shows the differences, asks
It restarts nothing: the commands to run are printed. docs/install.md,
"Two new hosts", goes through it.`;

/** `proxyctl setup`, which asks no agent, and `proxyctl pki`. */
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
