import type { Command } from 'commander';
import type { ActResult } from '../../agent/core/results.ts';
import { moveResult } from '../json/moves.ts';
import { usage } from '../failure.ts';
import { changing, ending, type Finish } from '../options.ts';
import { clockTime, endOr } from '../render/duration.ts';
import { moveTable } from '../render/acts.ts';
import { acting, userName, type ActOptions, type Screens } from '../session.ts';
import type { Streams } from '../streams.ts';

interface MoveOptions extends ActOptions {
  readonly vhid: readonly string[];
  readonly to?: string;
  readonly toggle?: boolean;
}

/** `proxyctl failover` and `proxyctl failback`. */
export function addMoves(program: Command, io: Streams, finish: Finish): void {
  const vhid = (command: Command): Command =>
    command.option(
      '--vhid <ADDRESS>',
      'only this one: a vhid, or VHID@NETWORK',
      (text: string, before: readonly string[]) => [...before, ...text.split(',')],
      [],
    );
  const run = async (verb: string, options: MoveOptions, unpin: boolean): Promise<void> => {
    if (options.toggle === true && options.to !== undefined)
      throw usage('--to names a node and --toggle the other one', 'give one of the two');
    finish(
      await acting(
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
      ),
    );
  };
  ending(
    vhid(
      changing(
        program
          .command('failover')
          .description('to the other node, and keep them there')
          .option('--to <NODE>', 'which node; default: where they are pinned, else the other')
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
