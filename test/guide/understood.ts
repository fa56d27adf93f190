import { CommanderError, type Command } from 'commander';
import { buildProgram } from '../../ctl/program.ts';
import type { Streams } from '../../ctl/streams.ts';

const nowhere: Streams = {
  out: () => undefined,
  err: () => undefined,
  live: null,
  screen: () => undefined,
  states: () => undefined,
};

/** Why the program does not take this command line; null: it would, and nothing was done. */
export async function refusal(argv: readonly string[]): Promise<string | null> {
  const program = buildProgram('', nowhere, () => undefined);
  for (const verb of leaves(program)) verb.action(() => undefined);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return null;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return null;
    return error instanceof Error ? error.message : String(error);
  }
}

const leaves = (command: Command): Command[] =>
  command.commands.flatMap((one) => (one.commands.length === 0 ? [one] : leaves(one)));
