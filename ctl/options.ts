import { InvalidArgumentError, Option, type Command } from 'commander';
import { RISKS, type Risk } from '../agent/core/acts.ts';
import { LONGEST_REASON } from '../agent/core/intent-limits.ts';
import { stampOf } from '../agent/core/intents.ts';
import type { Stamp } from '../agent/core/model.ts';
import { ActFailure } from '../agent/core/results.ts';
import { nearest } from '../agent/core/words.ts';
import { usage } from './failure.ts';
import { durationMs, pastMs, untilMs } from './times.ts';

/** What a verb's action gives back: its exit code. */
export type Finish = (code: number) => void;

/** The options every verb has. */
export function common(command: Command): Command {
  return command
    .optionsGroup('Which agents, and what is printed:')
    .option('--context <NAME>', 'a context of config.toml (PROXYCTL_CONTEXT)')
    .option('--config <FILE>', 'another config.toml (PROXYCTL_CONFIG)')
    .addOption(
      new Option('-o, --output <FORMAT>', 'table (default) or json, one line (docs/json.md)')
        .choices(['table', 'json'])
        .default('table')
        .helpGroup('Which agents, and what is printed:'),
    )
    .addOption(
      new Option('--json', 'the same as -o json')
        .implies({ output: 'json' })
        .helpGroup('Which agents, and what is printed:'),
    )
    .option('--timeout <DURATION>', 'how long to wait, like 500ms, 30s or 5m', span);
}

/** The options of every verb that changes something. */
export function changing(command: Command): Command {
  command
    .optionsGroup('Care:')
    .option('--dry-run', 'check everything on every node, change nothing', false)
    .option('--reason <TEXT>', 'why; shown in status and kept', asText, '')
    .addOption(
      new Option('--accept-risk <NAME>', `go on in spite of it: ${RISKS.join(', ')}`)
        .argParser(collectRisks)
        .default([], 'none')
        .helpGroup('Care:'),
    )
    .option(
      '--seen <STAMP>',
      'refuse, with 9, what was changed since: `seen` of status -o json',
      seenStamp,
    )
    .option('--request-id <ID>', 'the same ID within an hour is done once', filledText);
  return common(command);
}

/** --until for verbs whose wish can end by itself. */
export const ending = (command: Command): Command =>
  command
    .optionsGroup('Options:')
    .option('--until <TIME>', 'it ends by itself: 2h, 18:00, or a date with time', (text: string) =>
      parsed(() => untilMs(text, Date.now())),
    );

function span(text: string): number {
  const ms = durationMs(text);
  if (ms === null) throw new InvalidArgumentError('Give it like 500ms, 30s, 5m or 2h.');
  return ms;
}

/** A time in the past, as ms from then till now. */
export function ago(text: string): number {
  const ms = pastMs(text, Date.now());
  if (ms === null)
    throw new InvalidArgumentError('Give 2h, 08:00 or 2027-01-31T18:00:00Z, in the past.');
  return ms;
}

/** A whole number from 0. */
export function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Give a whole number from 0.');
  return Number(text);
}

function asText(text: string): string {
  if (text.length > LONGEST_REASON)
    throw new InvalidArgumentError(`At most ${LONGEST_REASON} characters.`);
  return text.replaceAll(/\s+/g, ' ').trim();
}

function filledText(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must not be empty.');
  return text;
}

function seenStamp(text: string): Stamp {
  const stamp = stampOf(text);
  if (stamp === null) throw new InvalidArgumentError('Give `seen` as status -o json has it.');
  return stamp;
}

const collectRisks = (text: string, before: readonly Risk[]): Risk[] => [
  ...before,
  ...text.split(',').map((one) => parsed(() => riskOf(one))),
];

/** A risk of the closed list. Throws ActFailure 'usage' with the list. */
function riskOf(text: string): Risk {
  const risk = RISKS.find((known) => known === text);
  if (risk !== undefined) return risk;
  const near = nearest(text, RISKS);
  throw usage(
    `no risk is called ${JSON.stringify(text)}`,
    near === null ? `there are ${RISKS.join(', ')}` : `did you mean ${near}?`,
  );
}

/** A usage failure in commander's own form, so that it names the option. */
function parsed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ActFailure)) throw error;
    throw new InvalidArgumentError(`${error.message}; ${error.detail.remediation}`);
  }
}
