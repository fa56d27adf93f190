import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.ts';
import type { Policy } from '../core/model.ts';
import { sentence } from '../core/words.ts';
import type { Log } from '../log.ts';
import type { Problems } from '../problems.ts';
import type { Tls } from '../rpc/tls.ts';

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

/** Sections that a running part takes over as a whole. */
const WHOLE = ['notify', 'metrics', 'web'] as const;

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
};

/** Moves nothing. */
const RESTART = 'service proxyagent restart';

/**
 * What SIGHUP does: TLS files again (bad ones leave the good in use), and of
 * agent.toml what can change without a restart; the rest is named.
 */
export function reloading(options: {
  readonly running: Config;
  readonly policy: Policy;
  readonly tls: Tls;
  /** Takes over the sections of WHOLE. */
  readonly become: (next: Config) => void;
  /** The TLS files were read again and are in use. */
  readonly renewed: () => void;
  readonly log: Log;
  readonly problems: Problems;
}): (next: Config) => {
  readonly taken: readonly string[];
  readonly waiting: readonly string[];
  /** Why the TLS files before stay in use; empty: the new ones are. */
  readonly refused: string;
} {
  const { running, policy, tls, become, renewed, log, problems } = options;
  let before = running;
  return (next) => {
    let refused = '';
    try {
      tls.reload();
      problems.clear('tls');
      renewed();
    } catch (error) {
      refused = sentence(error);
      problems.raise('tls', refused, 'the files before are still in use');
    }
    const { taken: live, waiting } = applyConfig(running, next, policy);
    const whole = WHOLE.filter((name) => !isDeepStrictEqual(before[name], next[name]));
    before = next;
    if (whole.length > 0) become(next);
    const taken = [...live, ...whole];
    if (taken.length > 0)
      log.info('config-reloaded', { keys: taken }, `in force: ${taken.join(', ')}`);
    if (waiting.length === 0) problems.clear('restart-needed');
    else {
      const cause = `${waiting.join(', ')} changed in agent.toml and need a restart`;
      log.warn('config-waits', { keys: waiting }, cause);
      problems.raise('restart-needed', cause, RESTART);
    }
    return { taken, waiting, refused };
  };
}

/**
 * Puts into `policy`, which the running agent reads, what of `next` can change
 * now. `taken`: the keys that did; `waiting`: keys that differ from `running`,
 * the configuration of the start, and need a restart. Names are agent.toml's.
 */
function applyConfig(
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
