import { ActFailure, type ActError, type Outcome } from '../agent/core/acts.ts';
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

/** A list of all there is would be lines of its own anyway; a command to copy stays whole. */
const list = (line: string): string => (line.length > LIST ? wrapped(line) : line);
const LIST = 200;

/** Three lines at most, and a list: what, why, and what to do. */
export function failureText({ message, cause, remediation }: ActError): string {
  const lines = [`proxyctl: ${message}`];
  if (cause !== '') lines.push(`  cause   ${cause}`);
  if (remediation !== '') lines.push(list(`  do      ${remediation}`));
  return `${lines.join('\n')}\n`;
}
