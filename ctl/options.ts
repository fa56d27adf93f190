import { InvalidArgumentError, Option, type Command } from 'commander';
import { ActFailure } from '../agent/core/acts.ts';
import { durationMs, riskOf, untilMs } from './session.ts';

/** What a verb's action gives back: its exit code. */
export type Finish = (code: number) => void;

/** The options every verb has. */
export function common(command: Command): Command {
  return command
    .addOption(
      new Option('-o, --output <FORMAT>', 'what standard output gets')
        .choices(['table', 'json'])
        .default('table'),
    )
    .addOption(new Option('--json', 'the same as -o json').implies({ output: 'json' }))
    .option('--context <NAME>', 'which agents to talk to')
    .option('--config <FILE>', 'another config.toml')
    .option('--timeout <DURATION>', 'how long to wait, like 30s', span);
}

/** The options of every verb that changes something. */
export function changing(command: Command): Command {
  return common(command)
    .option('--reason <TEXT>', 'why; shown in status and kept', '')
    .option('--request-id <ID>', 'said twice within an hour it is done once')
    .option('--dry-run', 'check everything, change nothing', false)
    .option('--accept-risk <NAME>', 'go on in spite of this danger', collectRisks, []);
}

/** --until for verbs whose wish can end by itself. */
export const ending = (command: Command): Command =>
  command.option('--until <TIME>', 'take it back by itself: 2h, 18:00, or a date', (text: string) =>
    parsed(() => untilMs(text, Date.now())),
  );

function span(text: string): number {
  const ms = durationMs(text);
  if (ms === null) throw new InvalidArgumentError('Give it like 500ms, 30s, 5m or 2h.');
  return ms;
}

const collectRisks = (text: string, before: readonly string[]): string[] => [
  ...before,
  ...text.split(',').map((one) => parsed(() => riskOf(one))),
];

/** A usage failure in commander's own form, so that it names the option. */
function parsed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ActFailure)) throw error;
    throw new InvalidArgumentError(`${error.message}; ${error.detail.remediation}.`);
  }
}
