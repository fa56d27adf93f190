import type { Command } from 'commander';
import { answerText } from '../json/answer.ts';
import { explainResult } from '../json/explain.ts';
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
        (answer, told) => {
          const nowMs = performance.now();
          if (options.output === 'json')
            io.out(answerText('explain', answer.node, told, explainResult(answer, nowMs)));
          else io.out(explainScreen(answer, nowMs));
          return 0;
        },
      ),
    ),
  );
}
