import { InvalidArgumentError, type Command } from 'commander';
import { AGENT, askedRow } from '../json/answer.ts';
import { configHistoryResult, configPushResult } from '../json/config-push.ts';
import { envelopeText } from '../json/envelope.ts';
import { changing, common, type Finish } from '../options.ts';
import { configHistoryScreen, configPushTable } from '../render/config-push.ts';
import { acting, reading, type ActOptions, type CommonOptions, type Screens } from '../session.ts';
import type { Streams } from '../streams.ts';
import { durationMs } from '../times.ts';

const SETTLE_MS = 10_000;
const MOST_SETTLE_MS = 60_000;

const SCREENS: Screens = {
  table: configPushTable,
  result: configPushResult,
  afterwards: () => '',
  withStatus: false,
};

interface PushOptions extends ActOptions {
  readonly settle: number;
}

/** `proxyctl config push` and `config history`. */
export function addConfigPush(config: Command, io: Streams, finish: Finish): void {
  changing(
    config
      .command('push <FILE>')
      .summary('it becomes haproxy.conf, one node after the other')
      .description(
        'Signs FILE, or the files of a directory, with the key of your context. Every node checks ' +
          'it; then one after the other installs it, reloads HAProxy and is seen to serve what it ' +
          'served before, the MASTER last. Where one refuses, all are put back. Needs the role ' +
          'admin, and `deploy = true` in [haproxy] of agent.toml on each host.',
      )
      .option(
        '--settle <DURATION>',
        'so long a backend that was up may be down after the reload; default 10s',
        settle,
        SETTLE_MS,
      ),
  ).action(async (path: string, options: PushOptions) =>
    finish(
      await acting(
        'config push',
        options,
        io,
        async (agent, header, report) => {
          const { configPush } = await import('../deploy/push.ts');
          return configPush(agent, options, path, options.settle, header, report);
        },
        SCREENS,
      ),
    ),
  );
  common(
    config
      .command('history')
      .summary('what was pushed, by whom and why')
      .description(
        'The versions that root keeps on each node, at most ten, and whether the file was changed ' +
          'by hand since.',
      ),
  ).action(async (options: CommonOptions) =>
    finish(
      await reading(
        'config history',
        options,
        io,
        (agent) => agent.configVersions(),
        ({ node, nodes }, { requestId, tookMs }) => {
          if (options.output === 'json')
            io.out(
              envelopeText({
                verb: 'config history',
                ok: true,
                changed: false,
                requestId,
                answeredBy: node,
                tookMs,
                result: configHistoryResult(nodes),
                nodes: nodes.map((one) => askedRow(one, 'not_read', AGENT)),
                error: null,
              }),
            );
          else io.out(configHistoryScreen(nodes));
          return 0;
        },
      ),
    ),
  );
}

function settle(text: string): number {
  const ms = durationMs(text);
  if (ms === null || ms > MOST_SETTLE_MS)
    throw new InvalidArgumentError('Give it like 10s, at most 1m.');
  return ms;
}
