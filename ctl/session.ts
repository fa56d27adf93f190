import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import {
  ActFailure,
  RISKS,
  type ActHeader,
  type ActResult,
  type Progress,
  type Risk,
  type Status,
} from '../agent/core/acts.ts';
import { nearest } from '../agent/core/words.ts';
import { reach, type Agent } from './client.ts';
import { chooseContext } from './contexts.ts';
import { envelopeText, nodeRows } from './envelope.ts';
import { asFailure, EXIT, failureText, usage } from './failure.ts';
import { nodeFailures, progressLine } from './render/acts.ts';

/** Options every verb has. */
export interface CommonOptions {
  readonly output: 'table' | 'json';
  readonly config?: string;
  readonly context?: string;
  readonly timeout?: number;
}

/** Options of every verb that changes something. */
export interface ActOptions extends CommonOptions {
  readonly reason: string;
  readonly requestId?: string;
  readonly dryRun: boolean;
  readonly acceptRisk: readonly Risk[];
  readonly until?: number;
}

/** Where results and progress go; exit codes come back. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
}

export const streams: Streams = {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
};

/** Set while a request is under way, so that Ctrl-C can say what to ask. */
export const underWay: { requestId: string | null } = { requestId: null };

export const newRequestId = (): string => randomBytes(6).toString('hex');

async function connect(options: CommonOptions, io: Streams): Promise<Agent & { context: string }> {
  const context = chooseContext({
    config: options.config ?? null,
    context: options.context ?? null,
    env: process.env,
  });
  const agent = await reach(context, (name, cause) =>
    io.err(`proxyctl: ${name} is passed over: ${cause}\n`),
  );
  return Object.assign(agent, { context: context.name });
}

/** Runs a reading verb; its result is printed by `show`, which gives the exit code. */
export async function reading<T>(
  verb: string,
  options: CommonOptions,
  io: Streams,
  ask: (agent: Agent) => Promise<T>,
  show: (value: T, facts: { context: string; requestId: string; tookMs: number }) => number,
): Promise<number> {
  const requestId = newRequestId();
  const startedMs = performance.now();
  try {
    const agent = await connect(options, io);
    const askedMs = performance.now();
    const value = await ask(agent);
    const tookMs = performance.now() - askedMs;
    agent.close();
    return show(value, { context: agent.context, requestId, tookMs });
  } catch (error) {
    return failed(verb, options, io, asFailure(error), requestId, performance.now() - startedMs);
  }
}

/** How a verb's result is shown. */
export interface Screens {
  readonly table: (result: ActResult) => string;
  readonly result: (result: ActResult) => unknown;
  /** Last line on standard error after success; empty for none. */
  readonly afterwards: (result: ActResult) => string;
  /** Reads the status again afterwards, for the rows per node. */
  readonly withStatus: boolean;
}

/** Runs a changing verb: progress on standard error, the result on standard output. */
export async function acting(
  verb: string,
  options: ActOptions,
  io: Streams,
  perform: (
    agent: Agent,
    header: ActHeader,
    report: (progress: Progress) => void,
  ) => Promise<ActResult>,
  screens: Screens,
): Promise<number> {
  const requestId = options.requestId ?? newRequestId();
  const startedMs = performance.now();
  const json = options.output === 'json';
  try {
    const agent = await connect(options, io);
    const header: ActHeader = {
      requestId,
      actor: userInfo().username,
      reason: options.reason,
      acceptRisks: options.acceptRisk,
      dryRun: options.dryRun,
      timeoutMs: options.timeout ?? null,
      seen: null,
    };
    underWay.requestId = requestId;
    const result = await perform(agent, header, (progress) => {
      if (!json) io.err(`${progressLine(progress)}\n`);
    });
    underWay.requestId = null;
    const after = screens.withStatus ? await agent.status().catch(() => null) : null;
    agent.close();
    if (json) io.out(actEnvelope(verb, result, screens, after));
    else show(result, screens, io);
    return EXIT[result.outcome];
  } catch (error) {
    const tookMs = performance.now() - startedMs;
    underWay.requestId = null;
    return failed(verb, options, io, asFailure(error), requestId, tookMs);
  }
}

function show(result: ActResult, screens: Screens, io: Streams): void {
  const { outcome, error } = result;
  const table = screens.table(result);
  if (table !== '') io.out(`${table}\n`);
  if (error !== null) io.err(failureText(error));
  for (const line of nodeFailures(result)) io.err(`  ${line}\n`);
  if (outcome === 'reached' && error === null) {
    const line = screens.afterwards(result);
    if (line !== '') io.err(`${line}\n`);
  } else if (outcome === 'partial')
    io.err('proxyctl: done on some nodes only; the others catch up when they are back\n');
  else if (outcome === 'would-change') io.err('Nothing was changed (--dry-run).\n');
}

const actEnvelope = (
  verb: string,
  result: ActResult,
  screens: Screens,
  after: Status | null,
): string => {
  const ok = result.outcome === 'reached' || result.outcome === 'would-change';
  return envelopeText({
    verb,
    ok,
    changed: result.changed,
    requestId: result.requestId,
    answeredBy: result.node,
    tookMs: result.tookMs,
    result: ok || result.changed ? screens.result(result) : null,
    nodes: nodeRows(result, after),
    error: result.error,
  });
};

/** Prints a failure in the asked form; its exit code. */
export function failed(
  verb: string,
  options: Pick<CommonOptions, 'output'>,
  io: Streams,
  failure: ActFailure,
  requestId: string,
  tookMs: number,
): number {
  if (options.output === 'json')
    io.out(
      envelopeText({
        verb,
        ok: false,
        changed: false,
        requestId,
        answeredBy: null,
        tookMs,
        result: null,
        nodes: [],
        error: failure.detail,
      }),
    );
  else io.err(failureText(failure.detail));
  if (failure.outcome === 'result-unknown' && options.output !== 'json')
    io.err(`  ask again with --request-id ${requestId}: it is not done twice\n`);
  return EXIT[failure.outcome];
}

/** A risk of the closed list. Throws ActFailure 'usage' with the list. */
export function riskOf(text: string): Risk {
  const risk = RISKS.find((known) => known === text);
  if (risk !== undefined) return risk;
  const near = nearest(text, RISKS);
  throw usage(
    `no risk is called ${text}`,
    near === null ? `there are ${RISKS.join(', ')}` : `did you mean ${near}?`,
  );
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** "250ms", "10s", "5m", "2h" or "1d" in ms; null for anything else. */
export function durationMs(text: string): number | null {
  const [, count, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  if (count === undefined) return null;
  const ms = Number(count) * (unit === 'd' ? 86_400_000 : (UNITS[unit] ?? 0));
  return ms > 0 ? ms : null;
}

/** A duration, a clock time (the next one, local) or an RFC 3339 time, as ms from now. Throws ActFailure 'usage'. */
export function untilMs(text: string, nowWallMs: number): number {
  const span = durationMs(text);
  if (span !== null) return span;
  const [, hour, minute] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  if (hour !== undefined && Number(hour) < 24 && Number(minute) < 60) {
    const at = new Date(nowWallMs);
    at.setHours(Number(hour), Number(minute), 0, 0);
    if (at.getTime() <= nowWallMs) at.setDate(at.getDate() + 1);
    return at.getTime() - nowWallMs;
  }
  const at = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  if (at > nowWallMs) return at - nowWallMs;
  throw usage(
    `--until ${text} is not understood`,
    'give 2h, 18:00, or a time to come like 2027-01-31T18:00:00Z',
  );
}
