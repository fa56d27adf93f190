import { ActFailure, type ActError, type Outcome } from '../agent/core/results.ts';
import { displayWidth, proseColumns } from './render/width.ts';
import { wrapped } from './render/wrapped.ts';

/** Exit code of each outcome; proxyctl(1) lists them. */
export const EXIT: Readonly<Record<Outcome, number>> = {
  reached: 0,
  failed: 1,
  usage: 2,
  'would-change': 3,
  'not-authorised': 4,
  unsafe: 5,
  partial: 6,
  'result-unknown': 7,
  'not-found': 8,
  conflict: 9,
  unreachable: 10,
  timeout: 124,
};

/** A mistake on the command line or in config.toml: exit 2. */
export const usage = (message: string, remediation: string, cause = ''): ActFailure =>
  new ActFailure('usage', { code: 'usage', message, cause, remediation });

/** Anything caught, as what an operator can read. */
export function asFailure(error: unknown): ActFailure {
  if (isActFailure(error)) return error;
  const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  return new ActFailure('failed', { code: 'internal', message }, { cause: error });
}

/** By name, because setup's bundle has a class of its own of that name. */
const isActFailure = (error: unknown): error is ActFailure =>
  error instanceof ActFailure || (error instanceof Error && error.name === 'ActFailure');

/**
 * Broken after a clause, because a command to copy stays whole; a list of all there is, which would
 * be lines of its own anyway, at any space.
 */
function remedyLines(line: string): string {
  const room = proseColumns();
  if (displayWidth(line) <= room) return line;
  if (line.length > LIST) return wrapped(line);
  const lines: string[] = [];
  for (const clause of line.split(/(?<=[,;:]) /)) {
    const last = lines.at(-1);
    const longer = `${last ?? ''} ${clause}`;
    if (last === undefined) lines.push(clause);
    else if (displayWidth(longer) <= room) lines[lines.length - 1] = longer;
    else lines.push(`${' '.repeat(INDENT)}${clause}`);
  }
  return lines.join('\n');
}
const LIST = 200;
const INDENT = 10;

/** What, why, and what to do; no wider than the screen, but for what is to be copied. */
export function failureText({ message, cause, remediation }: ActError): string {
  const lines = [wrapped(`proxyctl: ${message}`)];
  if (cause !== '') lines.push(wrapped(`  cause   ${cause}`));
  if (remediation !== '') lines.push(remedyLines(`  do      ${remediation}`));
  return `${lines.join('\n')}\n`;
}
