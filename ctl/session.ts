import { randomBytes } from 'node:crypto';
import { userInfo } from 'node:os';
import type { ActHeader, Risk } from '../agent/core/acts.ts';
import { ActFailure, type ActResult, type Progress } from '../agent/core/results.ts';
import type { Status } from '../agent/core/answers.ts';
import type { Stamp } from '../agent/core/model.ts';
import { reach, type Agent } from './connect/client.ts';
import { chooseContext } from './connect/contexts.ts';
import { envelopeText, nodeRows } from './json/envelope.ts';
import { asFailure, EXIT, failureText } from './failure.ts';
import { incompleteOf, incompleteText } from './help/incomplete.ts';
import { mayBeInterrupted } from './interrupt.ts';
import { nodeFailures, saidOnce } from './render/acts.ts';
import { progressShown } from './render/bar.ts';
import type { Streams } from './streams.ts';

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
  readonly seen?: Stamp;
}

export const newRequestId = (): string => randomBytes(6).toString('hex');

/**
 * The first agent of the chosen context that answers, but that on node `except`; `passedOver` hears of
 * the others. Rejects with ActFailure.
 */
export async function connect(
  options: CommonOptions,
  passedOver: (name: string, cause: string) => void,
  except?: string,
): Promise<Agent & { context: string }> {
  const context = await chooseContext({
    config: options.config ?? null,
    context: options.context ?? null,
    env: process.env,
  });
  const targets = context.targets.filter(({ node }) => except === undefined || node !== except);
  const agent = await reach({ ...context, targets }, options.timeout ?? null, passedOver);
  return Object.assign(agent, { context: context.name });
}

const saidOn =
  (io: Streams) =>
  (name: string, cause: string): void =>
    io.err(`proxyctl: ${name} is passed over: ${cause}\n`);

/** Runs a reading verb; its result is printed by `show`, which gives the exit code. */
export async function reading<T>(
  verb: string,
  options: CommonOptions,
  io: Streams,
  ask: (agent: Agent, context: string) => Promise<T>,
  show: (value: T, facts: { context: string; requestId: string; tookMs: number }) => number,
): Promise<number> {
  const requestId = newRequestId();
  const startedMs = performance.now();
  mayBeInterrupted({ verb, requestId, output: options.output, acting: false });
  let agent: (Agent & { context: string }) | null = null;
  try {
    agent = await connect(options, saidOn(io));
    const askedMs = performance.now();
    const value = await ask(agent, agent.context);
    const tookMs = performance.now() - askedMs;
    return show(value, { context: agent.context, requestId, tookMs });
  } catch (error) {
    return failed(verb, options, io, asFailure(error), requestId, performance.now() - startedMs);
  } finally {
    agent?.close();
  }
}

/** How a verb's result is shown. */
export interface Screens {
  readonly table: (result: ActResult) => string;
  readonly result: (result: ActResult) => object;
  /** Last line on standard error after success; empty for none. */
  readonly afterwards: (result: ActResult) => string;
  /** Before anything is asked of the agent: may ask the operator; a rejection ends it, an interrupt too. */
  readonly first?: (agent: Agent) => Promise<void>;
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
  const interruptible = { verb, requestId, output: options.output };
  mayBeInterrupted({ ...interruptible, acting: false });
  let agent: Agent | null = null;
  try {
    agent = await connect(options, saidOn(io));
    await screens.first?.(agent);
    const header: ActHeader = {
      requestId,
      actor: userName(),
      reason: options.reason,
      acceptRisks: options.acceptRisk,
      dryRun: options.dryRun,
      timeoutMs: options.timeout ?? null,
      seen: options.seen ?? null,
    };
    const progress = progressShown(io, () => performance.now());
    const asking = perform(agent, header, (one) => {
      if (!json) progress.report(one);
    });
    mayBeInterrupted({ ...interruptible, acting: true });
    const result = await asking.finally(() => progress.end());
    mayBeInterrupted(null);
    const after = screens.withStatus && json ? await agent.status().catch(() => null) : null;
    if (json) io.out(actEnvelope(verb, result, screens, after));
    else show(result, screens, io);
    return EXIT[result.outcome];
  } catch (error) {
    const tookMs = performance.now() - startedMs;
    mayBeInterrupted(null);
    return failed(verb, options, io, asFailure(error), requestId, tookMs);
  } finally {
    agent?.close();
  }
}

/** Who asks, for the record; a number where the account has no name. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`;
  }
}

function show(result: ActResult, screens: Screens, io: Streams): void {
  const { outcome, error } = result;
  const table = screens.table(result);
  if (table !== '') io.out(`${table}\n`);
  const said = saidOnce(result);
  if (said !== null) io.err(failureText(said));
  for (const line of nodeFailures(result)) io.err(`${line}\n`);
  if (outcome === 'reached' && error === null) {
    const line = screens.afterwards(result);
    if (line !== '') io.err(`${line}\n`);
  } else if (outcome === 'partial') {
    const line = incompleteText(incompleteOf(result));
    if (line !== '') io.err(`${line}\n`);
  } else if (outcome === 'would-change') io.err('Nothing was changed (--dry-run).\n');
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
    nodes: nodeRows(result, screens.withStatus ? { after } : null),
    error: result.error,
    incomplete: incompleteOf(result),
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
