import type { Command } from 'commander';
import { answerText } from '../json/answer.ts';
import { historyResult } from '../json/history.ts';
import { common, count, type Finish } from '../options.ts';
import { historyScreen } from '../render/history.ts';
import { reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

/** `proxyctl history`. */
export function addHistory(program: Command, io: Streams, finish: Finish): void {
  common(
    program
      .command('history [ADDRESS...]')
      .description('where the addresses have been, when they moved and why'),
  )
    .option('--limit <N>', 'the newest so many (20; 0: all that are kept)', count, 20)
    .action(async (addresses: string[], options: CommonOptions & { readonly limit: number }) =>
      finish(
        await reading(
          'history',
          options,
          io,
          (agent) => agent.history(addresses, options.limit === 0 ? null : options.limit),
          (answer, told) => {
            if (options.output === 'json')
              io.out(answerText('history', answer.node, told, historyResult(answer)));
            else io.out(historyScreen(answer));
            return 0;
          },
        ),
      ),
    );
}
