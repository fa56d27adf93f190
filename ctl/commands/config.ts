import type { Command } from 'commander';
import type { NodeConfig } from '../../agent/core/haproxy-config/reading.ts';
import { addConfigPush } from './config-push.ts';
import { addConfigCheck } from './config-check.ts';
import { AGENT, answerText, askedRow } from '../json/answer.ts';
import { configDiffResult, configShowResult } from '../json/config.ts';
import { envelopeText, type NodeRow } from '../json/envelope.ts';
import { common, type Finish } from '../options.ts';
import { configDiffScreen, configShowScreen } from '../render/config.ts';
import { reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

/** `proxyctl config diff` and `config show`. */
export function addConfig(program: Command, io: Streams, finish: Finish): void {
  const config = program.command('config').description("HAProxy's configuration, on every node");
  common(
    config
      .command('diff [FILE]')
      .summary("where the nodes' haproxy.conf, or FILE and theirs, differ")
      .description(
        "Compares the files of the nodes' HAProxy with one another, or FILE with each node's: line " +
          'by line, and what it means. FILE may be a directory, of which HAProxy takes NAME.cfg. ' +
          'Passwords and tokens are compared and not printed; those of FILE only where your role is ' +
          'admin. Looks only. Exit 0 where nothing differs but comments, spacing and names of ' +
          'nodes, 3 where something does or a node could not be compared.',
      ),
  ).action(async (file: string | undefined, options: CommonOptions) =>
    finish(
      await reading(
        'config diff',
        options,
        io,
        async (agent) => {
          const { configDiff } = await import('../config/verbs.ts');
          return configDiff(agent, file ?? null);
        },
        (diff, { requestId, tookMs }) => {
          const all = diff.nodes.every(
            ({ problem, problems }) => problem === '' && problems.length === 0,
          );
          if (options.output === 'json')
            io.out(
              envelopeText({
                verb: 'config diff',
                ok: all,
                changed: false,
                requestId,
                answeredBy: diff.node,
                tookMs,
                result: configDiffResult(diff),
                nodes: diff.nodes.map(rowOf),
                error: null,
              }),
            );
          else io.out(configDiffScreen(diff));
          return all && diff.comparisons.every(({ changes }) => !changes.differs) ? 0 : 3;
        },
      ),
    ),
  );
  addConfigCheck(config, io, finish);
  addConfigPush(config, io, finish);
  common(
    config
      .command('show')
      .summary('haproxy.conf of each node, and whether it is loaded')
      .description(
        "Prints the files of each node's HAProxy as they are on its disk, without passwords and " +
          'tokens; their version, which is the same for the same text; and whether HAProxy was ' +
          'started or reloaded since they were written.',
      )
      .option('--node <NODE>', 'only this node'),
  ).action(async (options: CommonOptions & { readonly node?: string }) =>
    finish(
      await reading(
        'config show',
        options,
        io,
        async (agent) => {
          const { configShow } = await import('../config/verbs.ts');
          return configShow(agent, options.node ?? null);
        },
        ({ node, nodes }, told) => {
          if (options.output === 'json')
            io.out(
              answerText('config show', node, told, configShowResult(nodes), nodes.map(rowOf)),
            );
          else io.out(configShowScreen(nodes));
          return 0;
        },
      ),
    ),
  );
}

const rowOf = ({ node, problem, problems }: NodeConfig): NodeRow =>
  askedRow({ node, problem: problem === '' ? (problems[0] ?? '') : problem }, 'not_read', AGENT);
