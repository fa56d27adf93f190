import { Command } from 'commander';
import { VERSION } from '../agent/version.ts';
import { addAutomation } from './commands/automation.ts';
import { addCertificates } from './commands/certificates.ts';
import { addContexts } from './commands/contexts.ts';
import { addExplain } from './commands/explain.ts';
import { addMoves } from './commands/moves.ts';
import { addServers } from './commands/servers.ts';
import { addStatus } from './commands/status.ts';
import type { Finish } from './options.ts';
import type { Streams } from './session.ts';

/** The command line of proxyctl. Mistakes on it throw CommanderError. */
export function buildProgram(io: Streams): Command {
  const program = new Command('proxyctl')
    .description('Operate a pair of HAProxy hosts behind CARP as one.')
    .version(`proxyctl ${VERSION}`, '-V, --version')
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.out(text), writeErr: () => undefined })
    .configureHelp({ helpWidth: 80 })
    .helpCommand(false);
  const finish: Finish = (code) => {
    process.exitCode = code;
  };
  addStatus(program, io, finish);
  addExplain(program, io, finish);
  addMoves(program, io, finish);
  addAutomation(program, io, finish);
  addServers(program, io, finish);
  addCertificates(program, io, finish);
  addContexts(program, io, finish);
  program.addHelpText(
    'after',
    '\nExit: 0 done, 1 failed, 2 usage, 3 would change, 4 not authorised, 5 unsafe,\n' +
      '6 some nodes only, 7 unknown, 8 not found, 9 conflict, 10 unreachable, 124 timeout.',
  );
  return program;
}
