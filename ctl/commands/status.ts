import type { Command } from 'commander';
import type { Status } from '../../agent/core/answers.ts';
import { answerText } from '../json/answer.ts';
import type { NodeRow } from '../json/envelope.ts';
import { statusResult } from '../json/status.ts';
import { common, type Finish } from '../options.ts';
import { addressIds, isHeard } from '../../agent/core/heard.ts';
import { statusScreen } from '../render/status.ts';
import { reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

/** `proxyctl status`. */
export function addStatus(program: Command, io: Streams, finish: Finish): void {
  common(program.command('status').description('addresses, nodes, alerts and the last decision'))
    .option('--check', 'exit 3 unless everything is as it should be', false)
    .action(async (options: CommonOptions & { readonly check: boolean }) => {
      const code = await reading(
        'status',
        options,
        io,
        (agent) => agent.status(),
        (status, told) => {
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
          else io.out(statusScreen(status, told.context, told.tookMs, at));
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
