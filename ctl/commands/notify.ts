import type { Command } from 'commander';
import { AGENT, askedRow } from '../json/answer.ts';
import { envelopeText } from '../json/envelope.ts';
import { notifyTestResult } from '../json/notify.ts';
import { common, type Finish } from '../options.ts';
import { notifyTestScreen } from '../render/notify.ts';
import { reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

/** `proxyctl notify`. */
export function addNotify(program: Command, io: Streams, finish: Finish): void {
  const notify = program.command('notify').description('whom the agents tell of what happens');
  common(
    notify
      .command('test [NAME]')
      .summary('a test to whom the agents notify, and what came of it')
      .description(
        'Sends a test through each [[notify]] of agent.toml, or the one of that name, from each ' +
          'node, and says what came of it. Needs the role operator. Exit 0 where all arrived, 6 ' +
          'where some did, 1 where none did.',
      ),
  ).action(async (name: string | undefined, options: CommonOptions) =>
    finish(
      await reading(
        'notify test',
        options,
        io,
        (agent) => agent.testNotify(name ?? ''),
        ({ node, nodes }, { requestId, tookMs }) => {
          const targets = nodes.flatMap((one) => one.targets);
          const arrived = targets.some(({ problem }) => problem === '');
          const all =
            nodes.every(({ problem }) => problem === '') &&
            targets.every(({ problem }) => problem === '');
          if (options.output === 'json')
            io.out(
              envelopeText({
                verb: 'notify test',
                ok: all,
                changed: false,
                requestId,
                answeredBy: node,
                tookMs,
                result: notifyTestResult({ nodes }),
                nodes: nodes.map((one) => {
                  const failed = one.targets.find(({ problem }) => problem !== '');
                  const why = failed === undefined ? '' : `${failed.name}: ${failed.problem}`;
                  const problem = one.problem === '' ? why : one.problem;
                  return askedRow({ node: one.node, problem }, 'notify_failed', AGENT);
                }),
                error: null,
                incomplete: all || !arrived ? [] : ['nodes'],
              }),
            );
          else io.out(notifyTestScreen({ nodes }));
          return all ? 0 : arrived ? 6 : 1;
        },
      ),
    ),
  );
}
