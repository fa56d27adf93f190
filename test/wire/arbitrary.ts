import * as fc from 'fast-check';
import { RISKS, type ActHeader } from '../../agent/core/acts.ts';
import type { ActError, ActResult } from '../../agent/core/results.ts';
import type { Status } from '../../agent/core/answers.ts';
import type { GossipMessage } from '../../agent/core/gossip.ts';
import type { PairEvent } from '../../agent/core/events/events.ts';
import type { Intent, NodeReport, Stamp } from '../../agent/core/model.ts';

/** The moment every arbitrary value is read at; ages below it fit a uint32. */
export const AT = { nowMs: 5_000_000_000, wallMs: 1_790_000_000_000 } as const;

const word = fc.string({ minLength: 1, maxLength: 12 });
const text = fc.string({ maxLength: 20 });
const uint = fc.integer({ min: 0, max: 0xffff_ffff });
const since = uint.map((ageMs) => AT.nowMs - ageMs);
const few = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 3 });
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one);

const stamp: fc.Arbitrary<Stamp> = fc.record({
  wallMs: fc.double({ min: 0, max: 2e12, noNaN: true }).map((ms) => ms + 0),
  count: uint,
  node: word,
});

export const intent: fc.Arbitrary<Intent> = fc
  .record({
    key: word,
    value: fc.option(word, { nil: '' }),
    stamp,
    actor: text,
    reason: text,
    requestId: text,
    untilWallMs: maybe(uint.map((ms) => AT.wallMs + ms)),
  })
  .map((one) => ({ ...one, deleted: one.value === '' }));

const seen = fc.record({
  node: word,
  epoch: uint,
  startId: uint,
  sequence: uint,
  ageMs: maybe(uint),
});

const addressReport = fc
  .record({
    vhid: fc.integer({ min: 1, max: 255 }),
    network: word,
    interface: word,
    vips: few(text),
    state: fc.constantFrom(...(['INIT', 'BACKUP', 'MASTER', 'unknown'] as const)),
    stateSinceMs: since,
    heldAtMs: maybe(since),
    advbase: fc.integer({ min: 1, max: 255 }),
    advskew: fc.integer({ min: 0, max: 254 }),
    baseAdvskew: maybe(fc.integer({ min: 0, max: 254 })),
    owner: maybe(word),
    yieldTo: maybe(word),
    reason: text,
    reasonSinceMs: since,
    readySinceMs: since,
    byHand: fc.boolean(),
    advertsLost: fc.boolean(),
    cutOff: fc.boolean(),
    inTouch: fc.boolean(),
    movesAtMs: few(since),
  })
  .map((one) => ({ ...one, address: `${one.vhid}@${one.network}` }));

const haproxyReport = fc.record({
  instance: text,
  state: fc.constantFrom(...(['up', 'stopping', 'hung', 'down', 'unknown'] as const)),
  stateSinceMs: since,
  problem: text,
  version: text,
  pid: uint,
  startedMs: since,
  sessions: uint,
  older: fc.record({ processes: uint, sessions: uint, uncounted: uint, problem: text }),
  frontends: few(fc.record({ name: word, open: fc.boolean(), required: fc.boolean() })),
  backends: few(
    fc.record({
      name: word,
      up: fc.boolean(),
      serversUp: fc.integer({ min: 0, max: 9 }),
      servers: fc.integer({ min: 9, max: 20 }),
    }),
  ),
  certificates: few(
    fc.record({ path: word, fingerprint: fc.option(word), notAfter: text, names: few(text) }),
  ),
  drift: few(
    fc.record({ backend: word, server: word, is: text, should: text, wished: fc.boolean() }),
  ),
  drifted: uint,
});

const happened: fc.Arbitrary<PairEvent> = fc.record({
  time: fc.constant('2027-01-15T08:00:00.000Z'),
  id: word,
  node: word,
  kind: fc.constantFrom(...(['moved', 'alert-raised', 'unknown'] as const)),
  severity: fc.constantFrom(...(['info', 'warn', 'fail', 'unknown'] as const)),
  subject: text,
  text,
});

export const report: fc.Arbitrary<NodeReport> = fc.record({
  node: word,
  epoch: uint,
  startId: uint,
  sequence: uint,
  protocol: uint,
  agentVersion: text,
  joined: fc.boolean(),
  leaving: fc.boolean(),
  fenced: fc.boolean(),
  networks: few(fc.record({ network: word, addresses: few(text) })),
  knownBases: few(fc.record({ node: word, address: word, base: fc.integer({ min: 0, max: 254 }) })),
  preempt: maybe(fc.boolean()),
  demotion: fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff }),
  addresses: few(addressReport),
  haproxy: few(haproxyReport),
  health: fc.constantFrom(...(['serving', 'degraded', 'partly', 'down', 'unknown'] as const)),
  healthSinceMs: since,
  healthReason: text,
  problems: few(fc.record({ subject: word, cause: text, remedy: text, sinceMs: since })),
  seen: few(seen),
  doubles: few(word),
  notify: fc.record({
    targets: few(fc.record({ name: word, failing: fc.boolean() })),
    notices: few(happened),
    told: few(text),
    raised: few(text),
  }),
  applied: few(
    fc.record(
      {
        key: word,
        stamp,
        problem: text,
        server: fc.constantFrom(...(['gone', 'back', 'unknown'] as const)),
      },
      { requiredKeys: ['key', 'stamp', 'problem'] },
    ),
  ),
  icmp: fc.constantFrom(...(['raw-socket', 'ping', 'none', 'unknown'] as const)),
  carpEvents: fc.constantFrom(...(['events', 'polling', 'unknown'] as const)),
  agentStartedMs: since,
  wallMs: fc.integer({ min: 0, max: 2e12 }),
});

export const gossip: fc.Arbitrary<GossipMessage> = fc.oneof(
  fc.record({
    kind: fc.constant('hello' as const),
    node: word,
    pair: word,
    protocol: fc.integer({ min: 1, max: 99 }),
    agentVersion: text,
    epoch: uint,
    startId: uint,
  }),
  fc.record({
    kind: fc.constant('heartbeat' as const),
    epoch: uint,
    startId: uint,
    sequence: uint,
    intentsDigest: text,
    heard: few(fc.record({ node: word, ageMs: uint })),
    seen: few(seen),
  }),
  fc.record({ kind: fc.constant('report' as const), report, ageMs: uint }),
  fc.record({ kind: fc.constant('intents' as const), intents: few(intent) }),
  fc.record({ kind: fc.constant('want-intents' as const) }),
  fc.record({ kind: fc.constant('want-report' as const), node: word }),
  fc.record({ kind: fc.constant('goodbye' as const), reason: text }),
);

export const header: fc.Arbitrary<ActHeader> = fc.record({
  requestId: word,
  actor: text,
  reason: text,
  acceptRisks: fc.uniqueArray(fc.constantFrom(...RISKS), { maxLength: 3 }),
  dryRun: fc.boolean(),
  timeoutMs: maybe(fc.integer({ min: 1, max: 0xffff_ffff })),
  seen: maybe(stamp),
});

const error: fc.Arbitrary<ActError> = fc.record({
  code: text,
  message: text,
  cause: text,
  remediation: text,
  retryable: fc.boolean(),
});

export const outcome = fc.constantFrom(
  ...(['reached', 'failed', 'usage', 'would-change', 'not-authorised', 'unsafe'] as const),
  ...(['partial', 'result-unknown', 'not-found', 'conflict', 'unreachable', 'timeout'] as const),
);

export const result: fc.Arbitrary<ActResult> = fc.record({
  outcome,
  changed: fc.boolean(),
  requestId: text,
  node: text,
  tookMs: uint,
  nodes: few(
    fc.record({ node: text, ok: fc.boolean(), changed: fc.boolean(), error: maybe(error) }),
  ),
  error: maybe(error),
  addresses: few(
    fc.record({
      address: word,
      vhid: uint,
      vips: few(text),
      from: text,
      to: text,
      outcome: fc.constantFrom(
        'moved',
        'already',
        'unpinned',
        'would-move',
        'would-unpin',
        'failed',
        'unknown',
      ),
      darkMsMax: maybe(uint),
      sessions: maybe(uint),
      pin: maybe(intent),
    }),
  ),
  servers: few(
    fc.record({
      instance: text,
      backend: text,
      server: text,
      node: text,
      before: text,
      after: text,
      sessions: uint,
    }),
  ),
  certificates: few(
    fc.record({
      node: text,
      path: text,
      fingerprintBefore: text,
      fingerprint: text,
      notAfter: text,
      names: few(text),
      outcome: fc.constantFrom(
        ...(['swapped', 'already', 'would-swap', 'rolled-back', 'failed', 'unknown'] as const),
      ),
    }),
  ),
});

export const status: fc.Arbitrary<Status> = fc.record({
  pair: word,
  node: word,
  paused: fc.boolean(),
  nodes: few(
    fc.record({
      node: word,
      peerClass: fc.constantFrom(
        ...(['alive', 'suspect', 'agent-down', 'frozen'] as const),
        ...(['dead', 'isolated', 'never-seen', 'unknown'] as const),
      ),
      ageMs: maybe(uint),
      report: maybe(report),
      problem: text,
    }),
  ),
  verdicts: few(
    fc.record({
      address: word,
      owner: maybe(word),
      reason: text,
      sinceMs: since,
      pin: maybe(intent),
    }),
  ),
  intents: few(intent),
  alerts: few(
    fc.record({
      id: word,
      node: word,
      subject: text,
      severity: fc.constantFrom('fail' as const, 'warn' as const),
      text,
      remedy: text,
      sinceMs: maybe(since),
    }),
  ),
  newest: maybe(stamp),
});
