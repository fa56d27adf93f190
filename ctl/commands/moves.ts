import type { Command } from 'commander';
import { moveResult } from '../json/moves.ts';
import { ActFailure, type ActResult } from '../../agent/core/results.ts';
import { handMoves, handScreen } from '../by-hand.ts';
import { recallFor, rememberStatus } from '../complete/cache.ts';
import { byHandResult } from '../json/by-hand.ts';
import { envelopeText } from '../json/envelope.ts';
import { asFailure, EXIT, usage } from '../failure.ts';
import { changing, ending, type Finish } from '../options.ts';
import { clockTime, endOr } from '../render/duration.ts';
import { moveTable } from '../render/acts.ts';
import {
  acting,
  connect,
  failed,
  newRequestId,
  userName,
  type ActOptions,
  type Screens,
} from '../session.ts';
import type { Streams } from '../streams.ts';

interface MoveOptions extends ActOptions {
  readonly vhid: readonly string[];
  readonly to?: string;
  readonly toggle?: boolean;
  readonly byHand?: boolean;
}

/** `proxyctl failover` and `proxyctl failback`. */
export function addMoves(program: Command, io: Streams, finish: Finish): void {
  const vhid = (command: Command): Command =>
    command.option(
      '--vhid <ADDRESS>',
      'only this one: VHID@NETWORK, its vhid, or an IP',
      (text: string, before: readonly string[]) => [...before, ...text.split(',')],
      [],
    );
  const run = async (verb: string, options: MoveOptions, unpin: boolean): Promise<void> => {
    if (options.toggle === true && options.to !== undefined)
      throw usage('--to names a node and --toggle the other one', 'give one of the two');
    if (options.byHand === true) return finish(await byHand(options, io));
    const code = await acting(
      verb,
      options,
      io,
      (agent, header, report) =>
        agent.move(
          {
            header,
            addresses: options.vhid,
            to: options.to ?? null,
            toggle: options.toggle ?? false,
            unpin,
            untilMs: options.until ?? null,
          },
          report,
        ),
      screens(options, unpin),
    );
    if (code === EXIT.unreachable && options.output !== 'json') handLines(options, unpin, io);
    finish(code);
  };
  ending(
    vhid(
      changing(
        program
          .command('failover')
          .description('to the other node, and keep them there')
          .option('--to <NODE>', 'which node; default: where they are pinned, else the other')
          .option('--by-hand', 'print the ifconfig lines for a night without agents')
          .option('--toggle', 'away from where they are, although pinned there'),
      ),
    ),
  ).action((options: MoveOptions) => run('failover', options, false));
  vhid(
    changing(
      program.command('failback').description('lift that, and bring them to the preferred node'),
    ),
  ).action((options: MoveOptions) => run('failback', options, true));
}

/** From what an agent says now, or else from what this machine saw last. Nothing is changed. */
async function byHand(options: MoveOptions, io: Streams): Promise<number> {
  const requestId = newRequestId();
  const startedMs = performance.now();
  try {
    let answeredBy: string | null = null;
    try {
      const agent = await connect(
        { ...options, timeout: options.timeout ?? 1000 },
        () => undefined,
      );
      const status = await agent.status().finally(() => agent.close());
      answeredBy = status.node;
      rememberStatus(options, agent.context, status);
    } catch (error) {
      if (!(error instanceof ActFailure) || error.outcome === 'usage') throw error;
    }
    const known = recallFor(options);
    const moves = known === null ? [] : handMoves(known, options.vhid, options.to ?? null);
    const now = Date.now();
    if (options.output === 'json')
      io.out(
        envelopeText({
          verb: 'failover',
          ok: known !== null,
          changed: false,
          requestId,
          answeredBy,
          tookMs: performance.now() - startedMs,
          result: known === null ? null : byHandResult(moves, now - known.atMs),
          nodes: [],
          error: null,
        }),
      );
    else io.out(handScreen(known, moves, now));
    return known === null ? EXIT.unreachable : EXIT.reached;
  } catch (error) {
    return failed('failover', options, io, asFailure(error), requestId, 0);
  }
}

/** After an act that met no agent: the way that is left. */
function handLines(options: MoveOptions, unpin: boolean, io: Streams): void {
  const known = recallFor(options);
  if (known === null) return io.err('  by hand: proxyctl failover --by-hand prints the lines\n');
  try {
    const moves = handMoves(known, options.vhid, options.to ?? null, unpin);
    io.err(`\n${handScreen(known, moves, Date.now())}`);
  } catch {
    // What is named was not there when the pair was seen last.
  }
}

function screens(options: MoveOptions, unpin: boolean): Screens {
  const cause = [userName(), ...(options.reason === '' ? [] : [`"${options.reason}"`])];
  return {
    table: (result) => (result.addresses.length === 0 ? '' : moveTable(result, cause.join(', '))),
    result: moveResult,
    afterwards: (result) => (unpin ? '' : staysUntil(result, options)),
    withStatus: true,
  };
}

/** What holds afterwards: the pin as it was read, with its own end. */
function staysUntil({ addresses, changed }: ActResult, { until, to }: MoveOptions): string {
  const [first] = addresses;
  if (first === undefined) return '';
  if (changed) return `Stays there until ${endOr(until, Date.now())}\`proxyctl failback\`.`;
  if (first.pin === null) return '';
  const { actor, untilWallMs } = first.pin;
  const end = untilWallMs === null ? '' : ` until ${clockTime(untilWallMs, Date.now())}`;
  const other = to === undefined ? '; --toggle sends it to another node' : '';
  return `Already pinned there by ${actor}${end}${other}.`;
}
