import { isatty } from 'node:tty';
import type { Command } from 'commander';
import { usage } from '../failure.ts';
import { common, type Finish } from '../options.ts';
import { connect, reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';
import { KEYS } from '../top/help.ts';
import { watchTop } from '../top/watch.ts';

/** `proxyctl top`. */
export function addTop(program: Command, io: Streams, finish: Finish): void {
  common(
    program
      .command('top')
      .summary('addresses, servers, sessions and rates, live')
      .description(
        'Both nodes live on one screen: who has the addresses, every server with its state, sessions, queue and new sessions a second, alerts, and what is drained. Changes nothing but what you mark, ask for and agree to.',
      )
      .addHelpText('after', `\nKeys:\n${KEYS.join('\n')}`),
  ).action(async (options: CommonOptions) => {
    if (options.output === 'json' || !isatty(0) || !isatty(1))
      throw usage(
        'top needs a terminal',
        'proxyctl servers --watch, with -o json for programs',
        options.output === 'json' ? 'it has no JSON' : 'standard input or output is none',
      );
    finish(
      await reading(
        'top',
        options,
        io,
        (agent, context) => watchTop(agent, context, () => connect(options, () => undefined)),
        () => 0,
      ),
    );
  });
}
