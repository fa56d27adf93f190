import { isatty } from 'node:tty';
import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  DRILL_KINDS,
  DRILL_MEANS,
  LONGEST_DRILL_MS,
  type DrillKind,
  type DrillMeans,
} from '../../agent/core/drill.ts';
import { ActFailure, type ActResult } from '../../agent/core/results.ts';
import { ABORTS, type Abort } from '../drill/aborts.ts';
import { asFailure, EXIT, failureText, usage } from '../failure.ts';
import { mayBeInterrupted } from '../interrupt.ts';
import { drillResult } from '../json/drill.ts';
import { envelopeText, nodeRows } from '../json/envelope.ts';
import { changing, type Finish } from '../options.ts';
import { saidOnce } from '../render/acts.ts';
import { drillScreen, drillTable } from '../render/drill.ts';
import { progressShown } from '../render/bar.ts';
import { connect, failed, newRequestId, userName, type ActOptions } from '../session.ts';
import type { Streams } from '../streams.ts';
import { durationMs } from '../times.ts';

interface DrillOptions extends ActOptions {
  readonly node?: string;
  readonly by?: DrillMeans;
  readonly for: number;
  readonly maxOutage: number;
  readonly abortOn: readonly Abort[];
  readonly probe: readonly string[];
  readonly report?: string;
  readonly yes: boolean;
}

const SUMMARIES: Readonly<Record<DrillKind, string>> = {
  failover: 'there and back, and what clients see of it',
  haproxy: 'it stops serving for seconds: a rescue has to come',
  agent: 'one ends and comes back: nothing is to change',
};
const STAY_MS = 2000;
const MAX_OUTAGE_MS = 500;

/** `proxyctl drill`. */
export function addDrill(program: Command, io: Streams, finish: Finish): void {
  const drill = program.command('drill').description('rehearse a rescue on the pair itself');
  for (const kind of DRILL_KINDS) {
    const command = changing(drill.command(kind).description(SUMMARIES[kind]))
      .optionsGroup('Options:')
      .option('--node <NODE>', 'whose loss is rehearsed; default: the MASTER')
      .option('--for <DURATION>', 'how long the other node serves: 2s', span, STAY_MS)
      .option(
        '--max-outage <DURATION>',
        'end it and put all back where clients wait longer: 500ms',
        span,
        MAX_OUTAGE_MS,
      )
      .addOption(
        new Option(
          '--abort-on <WHAT>',
          'and at the first connection lost, or alert of severity fail',
        )
          .argParser(aborts)
          .default([], 'none')
          .helpGroup('Options:'),
      )
      .option(
        '--probe <WHERE>',
        'what clients ask, HOST:PORT or a URL; default: as haproxy.conf binds',
        (text: string, before: readonly string[]) => [...before, ...text.split(',')],
        [],
      )
      .option('--report <FILE>', 'the report as JSON, too')
      .option('-y, --yes', 'do not ask before it begins', false);
    if (kind === 'haproxy')
      command.addOption(
        new Option(
          '--by <HOW>',
          'HAProxy closes its frontends, or its agent counts them closed: health',
        )
          .choices(DRILL_MEANS)
          .helpGroup('Options:'),
      );
    command.action(async (options: DrillOptions) => finish(await run(kind, options, io)));
  }
}

function span(text: string): number {
  const ms = durationMs(text);
  if (ms === null || ms > LONGEST_DRILL_MS)
    throw new InvalidArgumentError('Give it like 500ms, 30s or 5m, 10m at most.');
  return ms;
}
const WHAT: readonly string[] = ABORTS;

function aborts(text: string, before: readonly Abort[]): Abort[] {
  const words = text.split(',');
  const wrong = words.find((word) => !WHAT.includes(word));
  if (wrong !== undefined) throw new InvalidArgumentError(`Give ${WHAT.join(' or ')}.`);
  return [...before, ...(words as Abort[])];
}

/** Nobody rehearses by mistake: --yes, or a terminal to ask on. */
function checkCanAsk({ yes, dryRun, output }: DrillOptions): void {
  if (yes || dryRun || (output === 'table' && isatty(0) && isatty(2))) return;
  throw usage(
    'a drill asks first: it touches what serves clients',
    'look with --dry-run, then add --yes',
    output === 'json' ? 'with -o json it asks nobody' : 'there is no terminal to ask on',
  );
}

async function run(kind: DrillKind, options: DrillOptions, io: Streams): Promise<number> {
  const verb = `drill ${kind}`;
  const requestId = options.requestId ?? newRequestId();
  const startedMs = performance.now();
  const json = options.output === 'json';
  const interruptible = { verb, requestId, output: options.output };
  mayBeInterrupted({ ...interruptible, acting: false });
  const passedOver = (name: string, cause: string): void =>
    io.err(`proxyctl: ${name} is passed over: ${cause}\n`);
  let agent: Awaited<ReturnType<typeof connect>> | null = null;
  try {
    checkCanAsk(options);
    const { drilled } = await import('../drill/run.ts');
    // Nobody watches their own end.
    const except = kind === 'agent' ? options.node : undefined;
    agent = await connect(options, passedOver, except);
    const progress = progressShown(io, () => performance.now());
    const { result, report } = await drilled(agent, {
      act: {
        header: {
          requestId,
          actor: userName(),
          reason: options.reason,
          acceptRisks: options.acceptRisk,
          dryRun: options.dryRun,
          timeoutMs: null,
          seen: options.seen ?? null,
        },
        kind,
        node: options.node ?? null,
        means: options.by ?? null,
        stayMs: options.for,
        maxOutageMs: options.maxOutage,
      },
      abortOn: options.abortOn,
      probes: options.probe,
      report: (one) => (json ? undefined : progress.report(one)),
      agreed: (plan) => agreed(verb, plan, options, io),
      begins: () => mayBeInterrupted({ ...interruptible, acting: true }),
      again: () => connect({ ...options, timeout: 1000 }, () => undefined),
    }).finally(() => progress.end());
    mayBeInterrupted(null);
    const code = EXIT[result.outcome];
    const text = envelopeText({
      verb,
      ok: code === EXIT.reached || code === EXIT['would-change'],
      changed: result.changed,
      requestId,
      answeredBy: result.node === '' ? null : result.node,
      tookMs: performance.now() - startedMs,
      result: report === null ? null : drillResult(report),
      nodes: nodeRows(result, null),
      error: result.error,
    });
    if (json) io.out(text);
    else {
      if (report !== null) io.out(drillScreen(report));
      else if (result.addresses.length > 0) io.out(`${drillTable(result)}\n`);
      const said = saidOnce(result);
      if (said !== null) io.err(failureText(said));
      if (result.outcome === 'would-change') io.err('Nothing was changed (--dry-run).\n');
    }
    if (report !== null && options.report !== undefined) await keep(options.report, text);
    return code;
  } catch (error) {
    mayBeInterrupted(null);
    return failed(verb, options, io, asFailure(error), requestId, performance.now() - startedMs);
  } finally {
    agent?.close();
  }
}

async function keep(path: string, text: string): Promise<void> {
  const { writeFileSync } = await import('node:fs');
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new ActFailure('failed', {
      code: 'report_not_written',
      message: `the drill is over, and its report cannot be written to ${path}`,
      cause: asFailure(error).message,
      remediation: 'proxyctl status has its result',
    });
  }
}

/** Asks on the terminal; rejects with ActFailure for a no. */
async function agreed(
  verb: string,
  plan: ActResult,
  { yes, output }: DrillOptions,
  io: Streams,
): Promise<void> {
  if (yes) return;
  if (output === 'table') io.err(`${drillTable(plan)}\n`);
  const { asking } = await import('../setup/ask.ts');
  const terminal = asking('nothing was changed');
  try {
    const answer = await terminal.question(`${verb} on ${plan.drill?.node ?? ''} now? [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    terminal.close();
  }
  throw new ActFailure('failed', { code: 'not_agreed', message: 'nothing was changed' });
}
