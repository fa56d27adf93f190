import type { Command } from 'commander';
import { eventsOf } from '../../agent/core/events/event-lines.ts';
import { EVENT_KINDS, type EventsAsk, type PairEvent } from '../../agent/core/events/events.ts';
import { MOST_LINES, type LinesAnswer } from '../../agent/core/lines.ts';
import { eventsResult, eventText } from '../json/events.ts';
import { ago, common, count, type Finish } from '../options.ts';
import { eventScreen } from '../render/events.ts';
import { linesMissing } from '../render/audit.ts';
import { wrapped } from '../render/wrapped.ts';
import { reading, type CommonOptions } from '../session.ts';
import type { Streams } from '../streams.ts';
import { follow, type Told } from './follow.ts';
import { shownLines } from './lines.ts';

type EventsOptions = CommonOptions & {
  readonly since?: number;
  readonly until?: number;
  readonly node: readonly string[];
  readonly kind: readonly string[];
  readonly limit: number;
  readonly follow: boolean;
};

/** `proxyctl events`. */
export function addEvents(program: Command, io: Streams, finish: Finish): void {
  common(
    program
      .command('events')
      .summary('what happened: moves, drains, HAProxy, alerts')
      .description(
        'What happened, from the record of every node, the newest last: moves, what operators ' +
          'did, HAProxy and agents up and down, alerts raised and cleared, reloads. An event ' +
          'keeps its time and its id. Exit 6 where a node did not answer.',
      )
      .addHelpText('after', `\n${wrapped(`Kinds: ${EVENT_KINDS.join(', ')}`, 2)}`),
  )
    .optionsGroup('Options:')
    .option('--since <TIME>', 'not older: 2h, 08:00, or a date with time', ago)
    .option('--until <TIME>', 'not younger', ago)
    .option('--node <NAME>', 'of this node; may be given again', words, [])
    .option('--kind <KIND>', 'of this kind, or "alert" for alert-raised and so on', words, [])
    .option('--limit <N>', 'the newest so many (100; 0: all that are read)', count, 100)
    .option('--follow', 'go on: what happens from now on, until Ctrl-C', false)
    .action(async (options: EventsOptions) => {
      const limit = options.limit === 0 ? MOST_LINES : options.limit;
      const ask: EventsAsk = {
        sinceMs: options.since ?? null,
        untilMs: options.until ?? null,
        kinds: options.kind,
        nodes: options.node,
        limit: Math.min(limit, MOST_LINES),
      };
      finish(
        await reading(
          'events',
          options,
          io,
          async (agent) => {
            const first = await agent.events(ask);
            if (!options.follow) return first;
            let missing = '';
            return follow(
              first,
              (sinceMs) => agent.events({ ...ask, limit: MOST_LINES, sinceMs }),
              eventsOf,
              ({ id }) => id,
              (answer, events) => {
                io.out(events.map(options.output === 'json' ? eventText : eventScreen).join(''));
                const now = linesMissing(answer);
                if (now !== missing) io.err(now);
                missing = now;
              },
            );
          },
          (answer, facts) => shown(options, io, answer, eventsOf(answer), facts),
        ),
      );
    });
}

const words = (text: string, before: readonly string[]): readonly string[] => [
  ...before,
  ...text.split(',').filter((one) => one !== ''),
];

/** Prints what was found; the exit code. */
const shown = (
  options: EventsOptions,
  io: Streams,
  answer: LinesAnswer,
  events: readonly PairEvent[],
  told: Told,
): number =>
  shownLines('events', options, io, answer, told, {
    result: eventsResult(events, answer.nodes),
    text: events.map(eventScreen).join(''),
  });
