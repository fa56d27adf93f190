import type { Command } from 'commander';
import type { ActResult } from '../../agent/core/results.ts';
import { automationResult } from '../json/automation.ts';
import { moveResult } from '../json/moves.ts';
import { changing, ending, type Finish } from '../options.ts';
import { endOr } from '../render/duration.ts';
import { moveTable } from '../render/acts.ts';
import { acting, type ActOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

/** `proxyctl maintenance on|off NODE`, `proxyctl pause` and `proxyctl resume`. */
export function addAutomation(program: Command, io: Streams, finish: Finish): void {
  const maintenance = program
    .command('maintenance')
    .description('a node gives its addresses away and takes none')
    .helpCommand(false);
  for (const on of [true, false]) {
    const command = changing(
      maintenance
        .command(`${on ? 'on' : 'off'} <NODE>`)
        .description(
          on ? 'until it is lifted; a reboot does not lift it' : 'it may take addresses again',
        ),
    );
    if (on) ending(command);
    command.action(async (node: string, options: ActOptions) =>
      finish(
        await acting(
          `maintenance ${on ? 'on' : 'off'}`,
          options,
          io,
          (agent, header, report) =>
            agent.setMaintenance({ header, node, on, untilMs: options.until ?? null }, report),
          {
            table: (result) => movesTable(result, `maintenance of ${node}`),
            result: moveResult,
            afterwards: ({ changed }) =>
              changed ? afterMaintenance(node, on, options.until) : already(on),
            withStatus: true,
          },
        ),
      ),
    );
  }
  for (const paused of [true, false]) {
    const verb = paused ? 'pause' : 'resume';
    const command = changing(
      program
        .command(verb)
        .description(
          paused ? 'no move that nobody asked for, pair-wide' : 'moves by themselves again',
        ),
    );
    if (paused) ending(command);
    command.action(async (options: ActOptions) =>
      finish(
        await acting(
          verb,
          options,
          io,
          (agent, header, report) =>
            agent.setAutomation({ header, paused, untilMs: options.until ?? null }, report),
          {
            table: (result) => movesTable(result, verb),
            result: (result) => automationResult(paused, result),
            afterwards: ({ changed }) =>
              changed ? afterPause(paused, options.until) : already(paused),
            withStatus: false,
          },
        ),
      ),
    );
  }
}

const afterMaintenance = (node: string, on: boolean, until: number | undefined): string =>
  on
    ? `${node} stays out until ${endOr(until, Date.now())}\`proxyctl maintenance off ${node}\`.`
    : `${node} may take addresses again.`;

const afterPause = (paused: boolean, until: number | undefined): string =>
  paused
    ? `Nothing moves by itself until ${endOr(until, Date.now())}\`proxyctl resume\`; your own verbs go on.`
    : 'Addresses move by themselves again.';

const already = (on: boolean): string =>
  on ? 'already on: proxyctl status shows since when and until when' : 'already off';

/** What a dry run foresees, and what was moved. */
const movesTable = (result: ActResult, cause: string): string =>
  result.addresses.length > 0
    ? moveTable(result, cause)
    : result.outcome === 'would-change'
      ? 'No address would move.'
      : '';
