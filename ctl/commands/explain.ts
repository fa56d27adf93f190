import type { Command } from 'commander';
import { envelopeText, explainResult } from '../envelope.ts';
import { common, type Finish } from '../options.ts';
import { explainScreen } from '../render/explain.ts';
import { reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

/** `proxyctl explain`. */
export function addExplain(program: Command, io: Streams, finish: Finish): void {
  common(
    program
      .command('explain [ADDRESS...]')
      .description('why an address is where it is, and what would move it'),
  ).action(async (addresses: string[], options: CommonOptions) =>
    finish(
      await reading(
        'explain',
        options,
        io,
        (agent) => agent.explain(addresses),
        (answer, { requestId, tookMs }) => {
          const nowMs = performance.now();
          if (options.output === 'json')
            io.out(
              envelopeText({
                verb: 'explain',
                ok: true,
                changed: false,
                requestId,
                answeredBy: answer.node,
                tookMs,
                result: explainResult(answer, nowMs),
                nodes: [],
                error: null,
              }),
            );
          else io.out(explainScreen(answer, nowMs));
          return 0;
        },
      ),
    ),
  );
}
