import type { Command } from 'commander';
import { showCommand, SHOW_NAMES } from '../../agent/core/show-commands.ts';
import { AGENT_AND_HAPROXY, answerText, askedRow } from '../json/answer.ts';
import { haproxyResult } from '../json/haproxy.ts';
import { common, type Finish } from '../options.ts';
import { showScreen } from '../render/show.ts';
import { wrapped } from '../render/wrapped.ts';
import { reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';

/** `proxyctl haproxy show ...`. */
export function addHaproxy(program: Command, io: Streams, finish: Finish): void {
  const names = wrapped(`COMMAND   show ${SHOW_NAMES.join(', ')}`);
  common(
    program
      .command('haproxy <COMMAND...>')
      .summary("what HAProxy's own show commands say, on every node")
      .description(
        "Asks every node's HAProxy one command of its runtime API that only shows something, " +
          'without secrets. Short replies stand side by side, a * where they differ. ' +
          '`show sess` and `show table NAME` name clients: they need the role operator.',
      )
      // What a command of HAProxy's has of its own: show ssl crt-list -n FILE.
      .allowUnknownOption()
      .addHelpText('after', `\n${names}\n\nExample: proxyctl haproxy show info`),
  ).action(async (words: string[], options: CommonOptions) => {
    const { text: command } = showCommand(words);
    finish(
      await reading(
        'haproxy',
        options,
        io,
        (agent) => agent.show(command),
        (answer, told) => {
          if (options.output === 'json')
            io.out(
              answerText(
                'haproxy',
                answer.node,
                told,
                haproxyResult(command, answer.nodes),
                answer.nodes.map((one) => askedRow(one, 'haproxy_unknown', AGENT_AND_HAPROXY)),
              ),
            );
          else io.out(showScreen(answer));
          return 0;
        },
      ),
    );
  });
}
