import type { Command } from 'commander';
import { readConfigFile } from '../connect/config-file.ts';
import { configPath } from '../connect/contexts.ts';
import { contextsResult } from '../json/contexts.ts';
import { envelopeText } from '../json/envelope.ts';
import { asFailure } from '../failure.ts';
import { common, type Finish } from '../options.ts';
import { table } from '../render/table.ts';
import { failed, newRequestId, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

/** `proxyctl context list`. */
export function addContexts(program: Command, io: Streams, finish: Finish): void {
  const context = program
    .command('context')
    .description('the agents proxyctl can talk to')
    .helpCommand(false);
  common(context.command('list').description('the contexts of config.toml')).action(
    (options: CommonOptions) => {
      const requestId = newRequestId();
      try {
        const path = configPath({
          config: options.config ?? null,
          context: null,
          env: process.env,
        });
        const { current, contexts } = readConfigFile(path);
        const chosen = options.context ?? process.env['PROXYCTL_CONTEXT'] ?? current ?? null;
        const list = Object.entries(contexts).map(([name, { agents, sockets, socket }]) => ({
          name,
          current: name === chosen,
          agents: [
            ...(socket === undefined ? [] : [socket]),
            ...Object.values(sockets ?? {}),
            ...Object.values(agents ?? {}).flat(),
          ],
        }));
        if (options.output === 'json')
          io.out(
            envelopeText({
              verb: 'context list',
              ok: true,
              changed: false,
              requestId,
              answeredBy: null,
              tookMs: 0,
              result: contextsResult(path, list),
              nodes: [],
              error: null,
            }),
          );
        else {
          const rows = list.map((one) => [one.current ? '*' : '', one.name, one.agents.join(' ')]);
          io.out(`${table(['', 'CONTEXT', 'AGENTS'], rows)}\n`);
        }
        finish(0);
      } catch (error) {
        finish(failed('context list', options, io, asFailure(error), requestId, 0));
      }
    },
  );
}
