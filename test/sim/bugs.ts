import { compareStamps } from '../../agent/core/intents.ts';
import { LOWERED_ADVSKEW, type AddressReport } from '../../agent/core/model.ts';
import type { Action } from '../../agent/core/decide/decision.ts';
import type { View } from '../../agent/core/decide/view.ts';
import { FIELD_BUGS } from './field-bugs.ts';
import { addresses, doing, reports, seeing, without, type Planted } from './planted.ts';

const lowers = (action: Action): boolean =>
  action.kind === 'set-advskew' && action.advskew === LOWERED_ADVSKEW;

const own = (view: View, address: string): AddressReport | undefined =>
  view.nodes
    .find(({ node }) => node === view.self)
    ?.report?.addresses.find((one) => one.address === address);

export const BUGS: readonly Planted[] = [
  {
    name: 'additive demotion instead of advskew',
    seed: 1,
    carp(port, host) {
      let lowered = false;
      return {
        ...port,
        async set(changes) {
          for (const change of changes) {
            const lower = change.advskew === LOWERED_ADVSKEW;
            if (lower !== lowered) host.sysctl('demotion', lower ? 240 : -240);
            lowered = lower;
            if (!lower) await port.set([change]);
          }
        },
      };
    },
  },
  {
    name: 'moves without comparing health',
    seed: 198,
    decide: seeing((view) =>
      reports(view, (report, self) => (self ? report : { ...report, health: 'serving' })),
    ),
  },
  {
    name: 'accepts an older intent',
    seed: 7,
    receive(message, gossip) {
      if (message.kind !== 'intents') return null;
      const intents = message.intents.map((intent) => {
        const known = gossip.intents().get(intent.key);
        if (known === undefined || compareStamps(intent.stamp, known.stamp) >= 0) return intent;
        return { ...intent, stamp: { ...known.stamp, count: known.stamp.count + 1 } };
      });
      return { kind: 'intents', intents };
    },
  },
  {
    name: 'grants without having lowered itself',
    seed: 12,
    decide: doing((decision, view) => {
      const wanted = decision.actions.filter(lowers);
      const verdicts = decision.verdicts.map((verdict) => {
        const gives = wanted.some(
          (action) => 'address' in action && action.address === verdict.address,
        );
        const isMaster = own(view, verdict.address)?.state === 'MASTER';
        return gives && isMaster ? { ...verdict, yieldTo: verdict.owner } : verdict;
      });
      return without({ ...decision, verdicts }, lowers);
    }),
  },
  {
    name: 'learns 254 as its base',
    seed: 1,
    decide: seeing((view) =>
      reports(view, (report, self) =>
        self
          ? addresses(report, (one) =>
              one.advskew === LOWERED_ADVSKEW ? { ...one, baseAdvskew: LOWERED_ADVSKEW } : one,
            )
          : report,
      ),
    ),
  },
  {
    name: 'takes although it was not named',
    seed: 10,
    decide: seeing((view) =>
      reports(view, (report, self) =>
        self ? report : addresses(report, (one) => ({ ...one, yieldTo: view.self })),
      ),
    ),
  },
  {
    name: 'never goes back to its base',
    seed: 1,
    decide: doing((decision) =>
      without(decision, (action) => action.kind === 'set-advskew' && !lowers(action)),
    ),
  },
  {
    name: 'early takeover without echo and witness',
    seed: 1,
    decide: seeing((view, nowMs) => ({
      ...view,
      nodes: view.nodes.map((one) =>
        one.node !== view.self && one.heardAtMs !== null && nowMs - one.heardAtMs > 250
          ? { ...one, peerClass: 'dead', fresh: false }
          : one,
      ),
      paths: view.paths.map((path) =>
        path.node === null
          ? { ...path, answeredAtMs: nowMs, lostInRow: 0, lostSinceMs: null, steadySinceMs: 0 }
          : { ...path, lostInRow: 9, lostSinceMs: nowMs - 100, answeredAtMs: nowMs - 150 },
      ),
    })),
  },
  {
    name: 'both lower themselves at a split',
    seed: 1,
    decide: doing((decision, view) => {
      const split = [...decision.memory.overlaps.keys()].flatMap((address) => {
        const mine = own(view, address);
        if (mine?.state !== 'MASTER' || mine.advskew === LOWERED_ADVSKEW) return [];
        const { interface: name, vhid } = mine;
        const advskew = LOWERED_ADVSKEW;
        return [
          {
            kind: 'set-advskew',
            address,
            interface: name,
            vhid,
            advskew,
            reason: 'split',
          } as const,
        ];
      });
      return split.length === 0 ? decision : { ...decision, actions: split };
    }),
  },
  {
    name: 'believes old reports for ever',
    seed: 1,
    decide: seeing((view) => ({
      ...view,
      nodes: view.nodes.map((one) => (one.report === null ? one : { ...one, fresh: true })),
    })),
  },
  {
    name: 'forgets what was taken back',
    seed: 4,
    receive: (message) =>
      message.kind === 'intents'
        ? { kind: 'intents', intents: message.intents.filter(({ deleted }) => !deleted) }
        : null,
  },
  {
    name: 'forgets its intents at a restart',
    seed: 47,
    durable: (state) => ({ ...state, intents: [] }),
  },
  {
    name: 'keeps no record of what came to it',
    seed: 1,
    decide: doing((decision) => ({ ...decision, changes: [] })),
  },
  {
    name: 'leaves a dead HAProxy its address',
    seed: 29,
    decide: seeing((view) =>
      reports(view, (report, self) => (self ? { ...report, health: 'serving' } : report)),
    ),
  },
  ...FIELD_BUGS,
];

/** The bug of that name; undefined for no name. */
export function planted(name: string | undefined): Planted | undefined {
  if (name === undefined) return undefined;
  const found = BUGS.find((one) => one.name === name);
  if (found === undefined) throw new TypeError(`no bug is called ${name}`);
  return found;
}
