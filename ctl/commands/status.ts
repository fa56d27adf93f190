import { isatty } from 'node:tty';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Status } from '../../agent/core/answers.ts';
import { answerText } from '../json/answer.ts';
import type { Envelope, NodeRow } from '../json/envelope.ts';
import { statusResult } from '../json/status.ts';
import { usage } from '../failure.ts';
import { common, type Finish } from '../options.ts';
import { addressIds, isHeard } from '../../agent/core/heard.ts';
import { rememberStatus } from '../complete/cache.ts';
import { statusScreen } from '../render/status.ts';
import { newRequestId, reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

/** Between two readings of --watch, ms. */
const WATCH_MS = 1000;

interface StatusOptions extends CommonOptions {
  readonly check: boolean;
  readonly watch: boolean;
}

/** `proxyctl status`. */
export function addStatus(program: Command, io: Streams, finish: Finish): void {
  common(program.command('status').description('addresses, nodes, alerts and the last decision'))
    .optionsGroup('Options:')
    .option('--check', 'exit 3 unless everything is as it should be', false)
    .option('--watch', 'again every second; with -o json one envelope a line', false)
    .action(async (options: StatusOptions) => {
      if (options.check && options.watch)
        throw usage('--watch does not end and --check is an exit code', 'give one of the two');
      const print = (
        status: Status,
        context: string,
        told: Pick<Envelope, 'requestId' | 'tookMs'>,
      ): void => {
        const at = { nowMs: performance.now(), wallMs: Date.now() };
        if (options.output === 'json')
          io.out(
            answerText(
              'status',
              status.node,
              told,
              statusResult(status, at),
              status.nodes.map(nodeRow),
            ),
          );
        else {
          const screen = statusScreen(status, context, told.tookMs, at);
          if (options.watch) io.screen(screen);
          else io.states(screen);
        }
      };
      const code = await reading(
        'status',
        options,
        io,
        async (agent, context) => {
          while (options.watch) {
            const startedMs = performance.now();
            const status = await agent.status();
            const tookMs = performance.now() - startedMs;
            print(status, context, { requestId: newRequestId(), tookMs });
            await sleep(WATCH_MS);
          }
          return agent.status();
        },
        (status, told) => {
          print(status, told.context, told);
          // A person who looks may complete names next, or need the card when no agent answers.
          if (isatty(1)) rememberStatus(options, told.context, status);
          return options.check && !isWell(status) ? 3 : 0;
        },
      );
      finish(code);
    });
}
const nodeRow = (node: Status['nodes'][number]): NodeRow => ({
  node: node.node,
  ok: isHeard(node),
  changed: false,
  ...(isHeard(node)
    ? {}
    : {
        error: {
          code: 'agent_unreachable',
          message: node.problem,
          cause: '',
          remediation: `on ${node.node}: service proxyagent status`,
          retryable: true,
        },
      }),
});

/** An address at least, and no alert. An older agent may have none of a node that is not heard. */
const isWell = (status: Status): boolean =>
  addressIds(status).length > 0 && status.alerts.length === 0 && status.nodes.every(isHeard);
