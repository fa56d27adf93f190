import { CommanderError } from 'commander';
import { silentProgram, verbsOf } from '../ctl/verbs.ts';

/** Why the program does not take this command line; null: it would, and nothing was done. */
export async function refusal(argv: readonly string[]): Promise<string | null> {
  const program = silentProgram();
  for (const [, verb] of verbsOf(program)) verb.action(() => undefined);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return null;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return null;
    return error instanceof Error ? error.message : String(error);
  }
}
