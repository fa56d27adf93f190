import type { DrillAct, DrillMeans } from '../core/drill.ts';
import { ActFailure } from '../core/results.ts';
import { mastersOf } from './addresses.ts';
import { watchDark, type DarkTimes } from './dark.ts';
import type { DrillTarget } from './drill-checks.ts';
import { memberOf } from './drill-restore.ts';
import { move } from './move.ts';
import { until, type Pair } from './pair.ts';

/** A move that takes longer than this is no rescue, ms. */
const MOVE_MS = 5000;
/** The pins of a drill end by themselves this much after the time that the other node serves, ms. */
const PIN_MS = 20_000;
/** Frontends are opened this much after that time without being asked, ms. */
const LEASE_MS = 10_000;
/** daemon(8) starts an agent again after five seconds, ms. */
const BACK_MS = 30_000;

export interface Rehearsed {
  readonly pair: Pair;
  readonly act: DrillAct;
  readonly target: DrillTarget;
  readonly say: (step: string, text: string) => void;
  /** How a HAProxy was kept from serving, once that is known. */
  readonly did: { means: DrillMeans | null };
}

/**
 * Does what is rehearsed, up to the moment from which everything is to be put back. Resolves to how
 * long each address that moved was without MASTER at most; rejects with ActFailure where no rescue came.
 */
export async function rehearsal(parts: Rehearsed): Promise<DarkTimes> {
  const { act, target, say, pair } = parts;
  if (act.kind === 'agent') return restarted(parts);
  const dark = act.kind === 'haproxy' ? await rescued(parts) : await movedAway(parts);
  const { moving } = target;
  say(
    'away',
    moving.map(({ address: { id } }) => `${id} is on ${mastersOf(pair, id)[0]}`).join(', '),
  );
  await new Promise<void>((resolve) => void pair.clock.after(act.stayMs, resolve));
  say('stayed', `${target.node} was not needed for ${act.stayMs} ms`);
  return dark;
}

/** The planned move to the other node. */
async function movedAway({ pair, act, target }: Rehearsed): Promise<DarkTimes> {
  const { header } = act;
  const dark = new Map<string, number>();
  const asked = { ...header, timeoutMs: MOVE_MS, seen: null };
  const untilMs = act.stayMs + PIN_MS;
  const moves = [...new Set(target.moving.map(({ to }) => to))].map(async (to) => {
    const ids = target.moving.filter((one) => one.to === to).map(({ address }) => address.id);
    const one = { header: asked, addresses: ids, to, toggle: false, unpin: false, untilMs };
    const { outcome, addresses, error } = await move(pair, one, () => undefined);
    if (outcome !== 'reached')
      throw new ActFailure('failed', {
        ...(error ?? { code: 'not_moved', message: `${ids.join(', ')} did not move to ${to}` }),
        code: 'not_moved',
      });
    for (const { address, darkMsMax } of addresses)
      if (darkMsMax !== null) dark.set(address, darkMsMax);
  });
  await Promise.all(moves);
  return dark;
}

/** HAProxy of the node stops serving, and the agents bring its addresses elsewhere by themselves. */
async function rescued({ pair, act, target, say, did }: Rehearsed): Promise<DarkTimes> {
  const { node, moving } = target;
  const dark = watchDark(
    pair,
    moving.map(({ address: { id }, to }) => ({ id, from: node, to })),
  );
  did.means = await memberOf(pair, node).closeFrontends(act.means, act.stayMs + LEASE_MS);
  say('closed', `${node}: ${did.means === 'frontends' ? CLOSED : COUNTED}`);
  await leftNode({ pair, target }, `HAProxy on ${node} did not serve`);
  return dark();
}
const CLOSED = 'HAProxy has closed its frontends';
const COUNTED = 'its agent counts the frontends as closed, HAProxy goes on serving';

/** An agent ends and comes back, and no address moves for it. */
async function restarted({ pair, target: { node, homes }, say }: Rehearsed): Promise<DarkTimes> {
  const report = () => pair.view().find((one) => one.node === node);
  const before = report()?.report?.startId;
  const isOther = (): boolean => report()?.report?.startId !== before;
  await memberOf(pair, node).endAgent();
  say('ended', `the agent on ${node} ends`);
  const isGone = (): boolean => report()?.fresh !== true || isOther();
  if (await until(pair, isGone, MOVE_MS)) say('gone', `the agent on ${node} is not heard`);
  const isBack = (): boolean => {
    const view = report();
    return view?.fresh === true && isOther() && view.report?.joined === true;
  };
  if (!(await until(pair, isBack, BACK_MS)))
    throw new ActFailure('failed', {
      code: 'not_back',
      message: `the agent on ${node} did not come back within ${BACK_MS / 1000} s`,
      remediation: `on ${node}: service proxyagent status, and its log`,
    });
  say('back', `the agent on ${node} is back and has met the others`);
  const moved = Object.entries(homes).flatMap(([home, ids]) =>
    ids.filter((id) => mastersOf(pair, id).join() !== home),
  );
  if (moved.length === 0) return new Map();
  throw new ActFailure('failed', {
    code: 'moved',
    message: `${moved.join(', ')} moved because the agent on ${node} had ended`,
    remediation: 'proxyctl history and proxyctl explain say why',
  });
}

/** Resolves once somebody else has each address; rejects with ActFailure where nobody took one. */
async function leftNode(
  { pair, target: { node, moving } }: Pick<Rehearsed, 'pair' | 'target'>,
  because: string,
): Promise<void> {
  const isAway = ({ address: { id } }: (typeof moving)[number]): boolean => {
    const masters = mastersOf(pair, id);
    return masters.length === 1 && masters[0] !== node;
  };
  if (await until(pair, () => moving.every(isAway), MOVE_MS)) return;
  const stuck = moving.filter((one) => !isAway(one)).map(({ address }) => address.id);
  throw new ActFailure('failed', {
    code: 'not_rescued',
    message: `${because}, and nobody took ${stuck.join(', ')} within ${MOVE_MS} ms`,
    remediation: 'proxyctl explain and proxyctl doctor say what stands against it',
  });
}
