import { styleText } from 'node:util';

type Env = Readonly<Record<string, string | undefined>>;
type Style = 'red' | 'yellow' | 'green';

/** Words of states; the words that begin a line of a note. A name that is such a word has its colour too. */
const STATES: Readonly<Record<Style, readonly string[]>> = {
  green: ['MASTER', 'UP', 'serving'],
  yellow: ['INIT', 'drain', 'maint', 'disabled', 'degraded', 'partly', 'suspect', 'stopping'],
  red: ['DOWN', 'down', 'hung', 'dead', 'frozen', 'isolated', 'agent-down'],
};
const NOTES: Readonly<Record<Style, readonly string[]>> = {
  green: [],
  yellow: ['drained', 'drift', 'node out', 'out', 'paused', 'older', 'pinned'],
  red: ['alert', 'unknown', 'OLD:'],
};
const STYLES = ['green', 'yellow', 'red'] as const;
const STYLE_OF = new Map(
  STYLES.flatMap((style) => [...STATES[style], ...NOTES[style]].map((word) => [word, style])),
);
const WORDS = new RegExp(
  `^(?:${STYLES.flatMap((style) => NOTES[style]).join('|')})(?= )|(?<![^ /])(?:${STYLES.flatMap(
    (style) => STATES[style],
  ).join('|')})(?![^ /,\n])`,
  'gm',
);

/** Whether there may be colour is asked once, by hasColour. */
const HERE = { validateStream: false };

/** Whether what is printed there may have colour: a terminal, and nobody said no (no-color.org). */
export const hasColour = (isTerminal: boolean, env: Env): boolean =>
  isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb';

/** The same words at the same places, states and the beginnings of notes in colour. */
export const coloured = (text: string): string =>
  text.replaceAll(WORDS, (word) => styleText(STYLE_OF.get(word) ?? 'green', word, HERE));
