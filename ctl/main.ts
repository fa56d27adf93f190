#!/usr/bin/env node
import { CommanderError } from 'commander';
import { usage } from './failure.ts';
import { buildProgram } from './program.ts';
import { failed, newRequestId, streams, underWay } from './session.ts';

process.on('SIGINT', () => {
  if (underWay.requestId === null) process.exit(130);
  streams.err(
    `\nproxyctl: the agent goes on; ask with --request-id ${underWay.requestId}, or proxyctl status\n`,
  );
  process.exit(7);
});
// A reader that leaves early (head) is no failure of ours.
process.stdout.on('error', () => process.exit(0));

const argv = process.argv.slice(2);
const json = argv.some(
  (word, at) =>
    word === '--json' ||
    (/^(-o|--output)$/.test(word) && argv[at + 1] === 'json') ||
    /^(-ojson|--output=json)$/.test(word),
);
const verb = argv.find((word) => !word.startsWith('-')) ?? '';
try {
  await buildProgram(streams).parseAsync(argv, { from: 'user' });
} catch (error) {
  if (error instanceof CommanderError && error.exitCode === 0) process.exitCode = 0;
  else {
    const message =
      error instanceof CommanderError ? error.message.replace(/^error: /, '') : String(error);
    const remedy = `proxyctl ${verb === '' ? '' : `${verb} `}--help`;
    const failure = usage(message.split('\n')[0] ?? '', remedy);
    const output = json ? ('json' as const) : ('table' as const);
    process.exitCode = failed(verb, { output }, streams, failure, newRequestId(), 0);
  }
}
