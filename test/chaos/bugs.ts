/** A bug for the agents of a run: one text of a built module in the place of another. */
export interface Bug {
  readonly name: string;
  /** Below dist/. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** Each in another room, each of a kind that somebody might write. */
export const BUGS: readonly Bug[] = [
  {
    name: 'dead-serves',
    file: 'agent/core/health.js',
    from: "return { health: 'down', reason: `${name} is ${state}${because}` };",
    to: 'return null;',
  },
  {
    name: 'drain-forgotten',
    file: 'agent/haproxy/wishes-in-force.js',
    from: 'const pid = options.pid();',
    to: 'const pid = options.pid() === null ? null : 1;',
  },
  {
    name: 'wishes-not-heard',
    file: 'agent/gossip/gossip.js',
    from: "intents.take(from, message.intents, 'gossip');",
    to: '',
  },
  {
    name: 'swap-in-memory-only',
    file: 'agent/certs/live.js',
    from: 'await installAll(parts, byReload.length > 0 ? [] : work.filter(({ reload }) => !reload));',
    to: '',
  },
  {
    name: 'moves-not-told',
    file: 'agent/loop/own-history.js',
    from: 'history = [...history, ...more]',
    to: 'history = [...history]',
  },
];
