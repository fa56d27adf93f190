import type { MoveAct } from '../core/acts.ts';
import type { View } from '../core/decide/view.ts';
import {
  ActFailure,
  type ActResult,
  type MovedAddress,
  type NodeOutcome,
} from '../core/results.ts';
import { pinKey, wish } from '../core/intents.ts';
import type { Intent } from '../core/model.ts';
import type { Report } from '../core/verbs.ts';
import { checkLoss, checkStays, checkTarget } from './move-checks.ts';
import { cutText, sessionsOn } from './cut-sessions.ts';
import { isPinnedTo, isThere, planOf, type Plan } from './move-plan.ts';
import { ofNeighbours } from './neighbours.ts';
import { addressesOf, mastersOf } from './addresses.ts';
import { watchDark, type DarkTimes } from './dark.ts';
import {
  absent,
  refuseStale,
  result,
  stamped,
  steps,
  storeEverywhere,
  until,
  waitMs,
  type Pair,
} from './pair.ts';

/**
 * `failover` and `failback`: checks both nodes, stores the pin on both, watches
 * the two loops converge, reads again. A verb that gives up takes its pin back
 * before it reports failure. Said twice it changes nothing: without `to` a
 * failover means the node that the address is pinned to already. A failback to where the address
 * would not stay is refused: its pin ends with it.
 */
export async function move(
  pair: Pair,
  act: MoveAct,
  report: Report,
  /** What the loop decides from; null: not known yet. */
  view: () => View | null = () => null,
): Promise<ActResult> {
  const startedAtMs = pair.clock.nowMs();
  const { header } = act;
  const said = steps(pair.clock, report);
  const end = (rest: Parameters<typeof result>[3]): ActResult =>
    result(pair, header, startedAtMs, rest);

  const plans = addressesOf(pair, act.addresses).map((address) => planOf(pair, act, address));
  refuseStale(
    pair,
    header,
    plans.map(({ address }) => pinKey(address.id)),
  );
  const moving = plans.filter(({ there }) => !there);
  for (const { address, to } of moving) {
    checkTarget(pair, address, to);
    if (act.unpin) checkStays(pair, address, to, view());
    checkLoss(pair, address, to, header);
  }
  // A new end is a new wish.
  const pinning = plans.filter((one) =>
    act.unpin ? one.pin !== null : !isPinnedTo(one) || act.untilMs !== null,
  );
  // Of the host as it is before it moves.
  const left = new Map(moving.map(({ address, from }) => [address.id, sessionsOn(pair, from)]));
  const rows = (outcome: (one: Plan) => MovedAddress['outcome'], dark: DarkTimes = new Map()) =>
    plans.map((one) => {
      const { id } = one.address;
      return row(pair, one, outcome(one), dark.get(id) ?? null, left.get(id) ?? null);
    });

  if (pinning.length === 0 && moving.length === 0) {
    const nodes = pair.members.map(({ node }) => ({ node, ok: true, changed: false, error: null }));
    return end({ outcome: 'reached', nodes, addresses: rows(() => 'already') });
  }
  if (moving.length > 0) {
    said('checking', checked(moving));
    const cut = cutText(
      pair,
      moving.map(({ from }) => from),
    );
    if (cut !== '') said('sessions', cut);
  }
  if (header.dryRun) {
    const planned = rows((one) =>
      !one.there ? 'would-move' : act.unpin && one.pin !== null ? 'would-unpin' : 'already',
    );
    return end({ outcome: 'would-change', addresses: planned });
  }

  // Failback moves like a pin to the preferred node; it is taken back once it is there.
  const wanted = act.unpin ? moving : pinning;
  const before = new Map(
    plans.map(({ address }) => [address.id, pair.intents().get(pinKey(address.id))]),
  );
  const pins = stamped(
    pair,
    header,
    wanted.map(({ address, to }) => ({
      key: pinKey(address.id),
      value: to,
      deleted: false,
      untilMs: act.untilMs,
      ...(act.unpin ? { failback: true as const } : {}),
    })),
  );
  let stored: NodeOutcome[] = [];
  if (pins.length > 0) {
    stored = await storeEverywhere(pair, pins);
    const refused = stored.filter(({ ok, error }) => !ok && error?.code !== 'agent_unreachable');
    if (refused.length > 0) {
      await withdraw(pair, act, wanted, before);
      const first = refused[0]?.error;
      throw new ActFailure(first?.code === 'newer_intent' ? 'conflict' : 'failed', {
        ...(first ?? { code: 'failed', message: 'the pin could not be stored' }),
      });
    }
    const on = stored.filter(({ ok }) => ok).map(({ node }) => node);
    said(
      'storing',
      `${wanted.map(({ address, to }) => `pin ${address.id} = ${to}`).join(', ')} on ${on.join(', ')}`,
    );
  }

  const dark = watchDark(
    pair,
    moving.map(({ address: { id }, from, to }) => ({ id, from, to })),
  );
  const reached = await until(
    pair,
    () => moving.every((one) => isThere(pair, one)),
    waitMs(header),
  );
  const darkTimes = dark();
  if (!reached) {
    await withdraw(pair, act, wanted, before);
    return end(gaveUp(pair, moving, rows));
  }
  if (moving.length > 0) said('moving', moving.map((one) => arrived(pair, one)).join(', '));
  if (act.unpin) {
    const gone = plans.filter(
      ({ address }) => wish(pair.intents(), pinKey(address.id), pair.clock.wallMs()) !== null,
    );
    stored = await storeEverywhere(pair, tombstones(pair, act, gone));
  }
  said('confirmed', `read again on both nodes${ofNeighbours(pair, moving)}`);
  const missing = absent(pair);
  return end({
    outcome: missing.length > 0 ? 'partial' : 'reached',
    changed: true,
    nodes: pair.members.map(
      ({ node }) =>
        stored.find((one) => one.node === node) ?? { node, ok: true, changed: true, error: null },
    ),
    addresses: rows(
      (one) => (one.there ? (act.unpin ? 'unpinned' : 'already') : 'moved'),
      darkTimes,
    ),
  });
}

async function withdraw(
  pair: Pair,
  act: MoveAct,
  plans: readonly Plan[],
  before: ReadonlyMap<string, Intent | undefined>,
): Promise<void> {
  const wallMs = pair.clock.wallMs();
  const wishes = plans.map(({ address }) => {
    const old = before.get(address.id);
    const end = old?.untilWallMs ?? null;
    const untilMs = end === null ? null : Math.max(0, end - wallMs);
    return {
      key: pinKey(address.id),
      value: old?.value ?? '',
      deleted: old?.deleted ?? true,
      untilMs,
    };
  });
  await storeEverywhere(pair, stamped(pair, act.header, wishes));
}

const tombstones = (pair: Pair, act: MoveAct, plans: readonly Plan[]): Intent[] =>
  stamped(
    pair,
    act.header,
    plans.map(({ address }) => ({
      key: pinKey(address.id),
      value: '',
      deleted: true,
      untilMs: null,
    })),
  );

function gaveUp(
  pair: Pair,
  moving: readonly Plan[],
  rows: (outcome: (one: Plan) => MovedAddress['outcome']) => MovedAddress[],
): Parameters<typeof result>[3] {
  const stuck = moving.filter((one) => !isThere(pair, one));
  const untouched =
    stuck.length === moving.length &&
    stuck.every(({ address, from }) => {
      const masters = mastersOf(pair, address.id);
      return masters.length === 1 && masters[0] === from;
    });
  const names = stuck.map(({ address }) => address.id).join(', ');
  const reason = pair
    .view()
    .flatMap(({ report }) => report?.addresses ?? [])
    .find(({ address }) => stuck.some((one) => one.address.id === address))?.reason;
  return {
    outcome: 'result-unknown',
    changed: !untouched,
    addresses: rows((one) => (isThere(pair, one) ? 'moved' : 'failed')),
    error: {
      code: 'not_reached',
      message: `${names} did not move in time; the pin was taken back`,
      cause: reason ?? '',
      remediation: 'proxyctl status shows where it is and why',
      retryable: true,
    },
  };
}

const checked = (moving: readonly Plan[]): string =>
  moving.map(({ address, to }) => `${to} can serve ${address.id}`).join(', ');

function arrived(pair: Pair, { address, to }: Plan): string {
  const lowered = pair
    .view()
    .filter(({ node }) => node !== to)
    .flatMap(({ node, report }) =>
      (report?.addresses ?? [])
        .filter((theirs) => theirs.address === address.id)
        .map(({ advskew }) => `${node} advskew ${advskew}`),
    );
  return [...lowered, `${to} MASTER`].join(', ');
}

function row(
  pair: Pair,
  { address, from, to }: Plan,
  outcome: MovedAddress['outcome'],
  darkMsMax: number | null,
  sessions: number | null,
): MovedAddress {
  return {
    address: address.id,
    vhid: address.vhid,
    vips: address.vips,
    from,
    to,
    outcome,
    darkMsMax,
    sessions,
    pin: wish(pair.intents(), pinKey(address.id), pair.clock.wallMs()),
  };
}
