import type { Command } from 'commander';
import { checkExit } from '../deploy/verdict.ts';
import { checkRow, configCheckResult } from '../json/config-check.ts';
import { envelopeText } from '../json/envelope.ts';
import { common, type Finish } from '../options.ts';
import { configCheckScreen } from '../render/config-check.ts';
import { reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

/** `proxyctl config check`. */
export function addConfigCheck(config: Command, io: Streams, finish: Finish): void {
  common(
    config
      .command('check <FILE>')
      .summary("whether each node's HAProxy would take it")
      .description(
        'Signs FILE, or the files of a directory, with the key of your context, and has each node ' +
          'check it with its own HAProxy, with the certificates and maps that are there. Nothing ' +
          'is installed. Needs the role admin, and `deploy = true` in [haproxy] of agent.toml on ' +
          'each host. Exit 0 where every node takes it, 1 where one does not, 6 where one did not ' +
          'answer.',
      ),
  ).action(async (path: string, options: CommonOptions) =>
    finish(
      await reading(
        'config check',
        options,
        io,
        async (agent) => {
          const { configCheck } = await import('../deploy/check.ts');
          return configCheck(agent, options, path);
        },
        ({ node, nodes }, { requestId, tookMs }) => {
          const exit = checkExit(nodes);
          if (options.output === 'json')
            io.out(
              envelopeText({
                verb: 'config check',
                ok: exit === 0,
                changed: false,
                requestId,
                answeredBy: node,
                tookMs,
                result: configCheckResult(nodes),
                nodes: nodes.map(checkRow),
                error: null,
                incomplete: exit === 6 ? ['nodes'] : [],
              }),
            );
          else io.out(configCheckScreen(nodes));
          return exit;
        },
      ),
    ),
  );
}
