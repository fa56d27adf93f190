import type { Command } from 'commander';
import type { AdminState } from '../../agent/core/acts.ts';
import { serversResult } from '../envelope.ts';
import { changing, ending, type Finish } from '../options.ts';
import { serversTable } from '../render/acts.ts';
import { acting, type ActOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

const VERBS: readonly (readonly [AdminState, string, string])[] = [
  ['drain', 'no new sessions, those there may end', 'Stays so until `proxyctl ready`.'],
  ['ready', 'takes traffic again', ''],
  ['maint', 'out of service, its checks too', 'Stays so until `proxyctl ready`.'],
];

/** `proxyctl drain`, `ready` and `maint`. */
export function addServers(program: Command, io: Streams, finish: Finish): void {
  for (const [state, summary, afterwards] of VERBS) {
    const command = changing(
      program
        .command(`${state} <TARGET...>`)
        .summary(summary)
        .description(
          `A server of HAProxy, on every node: ${summary}. TARGET is BACKEND/SERVER or BACKEND.`,
        ),
    );
    if (state !== 'ready') ending(command);
    command.action(async (targets: string[], options: ActOptions) =>
      finish(
        await acting(
          state,
          options,
          io,
          (agent, header, report) =>
            agent.setServers({ header, targets, state, untilMs: options.until ?? null }, report),
          {
            table: (result) => (result.servers.length === 0 ? '' : serversTable(result)),
            result: serversResult,
            afterwards: () => afterwards,
            withStatus: false,
          },
        ),
      ),
    );
  }
}
