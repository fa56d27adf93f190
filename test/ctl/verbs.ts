import type { Command } from 'commander';
import { buildProgram } from '../../ctl/program.ts';
import type { Streams } from '../../ctl/streams.ts';

const nothing = (): undefined => undefined;
const NOWHERE: Streams = {
  out: nothing,
  err: nothing,
  screen: nothing,
  states: nothing,
  live: null,
};

/** The command line of proxyctl as it is read, printing nowhere; nothing it parses is done yet. */
export const silentProgram = (): Command => buildProgram('', NOWHERE, nothing);

/** Its words on the command line, as `cert push`, and the command. */
type Verb = readonly [words: string, command: Command];

/** Every verb below a command: those that have none below them. */
export const verbsOf = (command: Command, words: readonly string[] = []): Verb[] =>
  command.commands.flatMap((one): Verb[] => {
    const here = [...words, one.name()];
    return one.commands.length === 0 ? [[here.join(' '), one]] : verbsOf(one, here);
  });
