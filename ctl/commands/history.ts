import type { Command } from 'commander';
import { answerText } from '../json/answer.ts';
import { historyResult } from '../json/history.ts';
import { ago, common, count, type Finish } from '../options.ts';
import { historyScreen } from '../render/history.ts';
import { reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

type HistoryOptions = CommonOptions & { readonly since?: number; readonly limit?: number };

/** `proxyctl history`. */
export function addHistory(program: Command, io: Streams, finish: Finish): void {
  common(
    program
      .command('history [ADDRESS...]')
      .description('where the addresses have been, when they moved and why'),
  )
    .option('--since <TIME>', 'not older: 2h, 08:00, or a date with time', ago)
    .option('--limit <N>', 'the newest so many (20, with --since all; 0: all)', count)
    .action(async (addresses: string[], options: HistoryOptions) =>
      finish(
        await reading(
          'history',
          options,
          io,
          async (agent) => {
            const { since, limit = since === undefined ? 20 : 0 } = options;
            const answer = await agent.history(addresses, limit === 0 ? null : limit);
            if (since === undefined) return answer;
            const from = Date.now() - since;
            return { ...answer, changes: answer.changes.filter((one) => one.atWallMs >= from) };
          },
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
