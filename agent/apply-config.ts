import { isDeepStrictEqual } from 'node:util';
import type { Config } from './config/config.ts';
import type { Policy } from './core/model.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** Policy that every round reads afresh. `detect`, `witness` and `icmp` have timers and sockets behind them. */
const LIVE = {
  failback: 'failback',
  hold: 'holdMs',
  max_moves: 'maxMoves',
  window: 'windowMs',
  early_takeover_ms: 'earlyTakeoverMs',
  fence: 'fence',
} as const satisfies Readonly<Record<string, keyof Policy>>;

/** What is only read at start, by its name in agent.toml. TLS files are read again; their paths are not. */
const AT_START: Readonly<Record<string, (config: Config) => unknown>> = {
  node: ({ node }) => node,
  pair: ({ pair }) => pair,
  listen: ({ listen }) => listen,
  user: ({ user }) => user,
  state: ({ state }) => state,
  socket: ({ socket }) => socket,
  log: ({ log }) => log,
  tls: ({ tls }) => tls,
  peer: ({ peers }) => peers,
  network: ({ networks }) => networks,
  carp: ({ carp }) => carp,
  haproxy: ({ haproxy }) => haproxy,
  'policy.detect': ({ policy }) => policy.detect,
  'policy.witness': ({ policy }) => policy.witness,
  'policy.icmp': ({ policy }) => policy.icmp,
  certificates: ({ certificates }) => certificates,
  acme: ({ acme }) => acme,
  metrics: ({ metrics }) => metrics,
};

/**
 * Puts into `policy`, which the running agent reads, what of `next` can change
 * now. `taken`: the keys that did; `waiting`: keys that differ from `running`,
 * the configuration of the start, and need a restart. Names are agent.toml's.
 */
export function applyConfig(
  running: Config,
  next: Config,
  policy: Policy,
): { readonly taken: readonly string[]; readonly waiting: readonly string[] } {
  const taken = Object.entries(LIVE)
    .filter(([, key]) => policy[key] !== next.policy[key])
    .map(([name]) => `policy.${name}`);
  const { failback, holdMs, maxMoves, windowMs, earlyTakeoverMs, fence } = next.policy;
  const live = { failback, holdMs, maxMoves, windowMs, earlyTakeoverMs, fence };
  Object.assign(policy satisfies Writable<Policy>, live);
  const waiting = Object.entries(AT_START)
    .filter(([, value]) => !isDeepStrictEqual(value(running), value(next)))
    .map(([name]) => name);
  return { taken, waiting };
}
