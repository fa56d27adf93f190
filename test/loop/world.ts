import type { CarpObservation } from '../../agent/loop/observe.ts';
import type { Action, Decision } from '../../agent/core/decide/decision.ts';
import type { NodeReport, NodeView } from '../../agent/core/model.ts';
import type { View } from '../../agent/core/decide/view.ts';
import { TIMINGS } from '../../agent/core/timing.ts';
import { latestRound } from '../../agent/loop/latest.ts';
import { loop } from '../../agent/loop/loop.ts';
import type { LoopOptions } from '../../agent/loop/ports.ts';
import { wakeups } from '../../agent/loop/schedule.ts';
import { heard } from '../core/builders.ts';
import { haproxy, report } from '../reports.ts';
import { FakeClock } from '../fake-clock.ts';

export const POLL_MS = 1000;

export const OBSERVED: CarpObservation = {
  addresses: [
    {
      interface: 'vtnet0',
      vhid: 1,
      vips: ['10.1.60.200'],
      state: 'BACKUP',
      advbase: 1,
      advskew: 100,
    },
  ],
  preempt: false,
  demotion: 0,
  downFactor: 240,
  allow: true,
  interfaces: [],
};

export const LOWER: Action = {
  kind: 'set-advskew',
  address: '1@vtnet0',
  interface: 'vtnet0',
  vhid: 1,
  advskew: 254,
  reason: 'planned',
};

/** The loop over plain objects, with a policy of the test; all that happens is noted in order. */
export function loopWorld({
  pollMs = POLL_MS,
  carpEvents = 'polling',
}: {
  readonly pollMs?: number;
  readonly carpEvents?: NodeReport['carpEvents'];
} = {}) {
  const clock = new FakeClock({ nowMs: 10_000 });
  /** What happened, with the time. */
  const log: (readonly [number, string])[] = [];
  const note = (what: string): void => void log.push([clock.nowMs() - 10_000, what]);
  const published: NodeReport[] = [];
  const world = {
    carp: OBSERVED,
    carpTrouble: null as Error | null,
    setTrouble: '',
    saveTrouble: '',
    /** A kernel that takes a set and does nothing. */
    deaf: false,
    peers: [heard(report('haproxy02'))] as readonly NodeView[],
    /** What the policy says; the real one is tested in core. */
    plan: (_view: View): Partial<Decision> => ({}),
  };
  const noted = (what: string) => (fields: Record<string, unknown>) => {
    const subject = fields['cause'] ?? fields['reason'] ?? fields['to'];
    note(`log ${what}: ${String(subject)}`);
  };
  const options: LoopOptions = {
    node: 'haproxy01',
    epoch: 3,
    startId: 0,
    agentVersion: '0.1.0',
    policy: { failback: 'auto', holdMs: 10_000, maxMoves: 3, windowMs: 600_000 } as never,
    timing: TIMINGS.fast,
    networks: null,
    clock,
    bell: wakeups(),
    latest: latestRound(),
    carp: {
      read: () => {
        note('read');
        if (world.carpTrouble !== null) return Promise.reject(world.carpTrouble);
        return Promise.resolve(world.carp);
      },
      received: () => Promise.resolve(null),
      set: (changes) => {
        const said = changes.map(
          ({ interface: name, vhid, ...change }) => `${name} ${vhid} ${JSON.stringify(change)}`,
        );
        note(`set ${said.join(', ')}`);
        if (world.setTrouble !== '') return Promise.reject(new Error(world.setTrouble));
        if (world.deaf) return Promise.resolve();
        const addresses = world.carp.addresses.map((one) => ({
          ...one,
          ...changes.find(({ vhid }) => vhid === one.vhid),
        }));
        world.carp = { ...world.carp, addresses };
        return Promise.resolve();
      },
      advertise: () => Promise.resolve(note('advertise')),
      allow: (on) => Promise.resolve(note(`allow ${on}`)),
    },
    pollMs,
    icmp: 'none',
    prober: { readings: () => [], aim: () => undefined, attend: () => undefined },
    gossip: {
      peers: () => [...world.peers],
      intents: () => new Map(),
      seen: () => [],
      publish: (report) => void published.push(report),
    },
    haproxy: () => [haproxy()],
    applied: () => [],
    problems: () => [],
    carpEvents: () => carpEvents,
    durable: { bases: {}, moves: {}, history: [], held: [], fenceMine: false },
    save: (change) => {
      note(`save ${JSON.stringify(change)}`);
      if (world.saveTrouble !== '') return Promise.reject(new Error(world.saveTrouble));
      return Promise.resolve();
    },
    log: {
      carpChanged: noted('carp-changed'),
      decided: () => undefined,
      actionFailed: noted('action-failed'),
      problem: noted('problem'),
    },
    decide: (view, memory) => {
      const plan = {
        actions: [],
        verdicts: [],
        alerts: [],
        memory,
        changes: [],
        advertsLost: false,
        wakeAtMs: null,
        ...world.plan(view),
      };
      note(`decide ${plan.actions.map(({ kind }) => kind).join(' ')}`.trim());
      return plan;
    },
  };
  const running = loop(options);
  return { loop: running, clock, log, note, published, world, options };
}

/** The address of this node as the policy is shown it; null where it is not. */
export function shown(view: View): { advskew: number; state: string } | null {
  const me = view.nodes.find(({ node }) => node === view.self)?.report;
  const [address] = me?.addresses ?? [];
  return address === undefined ? null : { advskew: address.advskew, state: address.state };
}
