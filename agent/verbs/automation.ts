import type { AutomationAct, MaintenanceAct } from '../core/acts.ts';
import { ActFailure, type ActResult, type MovedAddress } from '../core/results.ts';
import { forecast } from '../core/decide/forecast.ts';
import type { View } from '../core/decide/view.ts';
import { maintenanceKey, PAUSE_KEY, pinKey, wish } from '../core/intents.ts';
import { isObserver } from '../core/health.ts';
import type { Intent, NodeView } from '../core/model.ts';
import type { Report } from '../core/verbs.ts';
import { addressesOf, mastersOf } from './addresses.ts';
import { cutText, sessionsOn } from './cut-sessions.ts';
import {
  absent,
  present,
  requireNode,
  refuseStale,
  result,
  stamped,
  steps,
  storeEverywhere,
  until,
  waitMs,
  type Pair,
  untouched,
  refuseUnstored,
} from './pair.ts';

/** `pause` and `resume`: moves nobody asked for, pair-wide. Operators' own moves go on. */
export async function setAutomation(
  pair: Pair,
  act: AutomationAct,
  report: Report,
  view: Looking = () => null,
): Promise<ActResult> {
  const { paused, untilMs } = act;
  const one = { ...act, key: PAUSE_KEY, on: paused, untilMs, said: 'pause' };
  return setSwitch(pair, one, report, view);
}

/** The view that a dry run foresees the moves from; null: not known yet. */
type Looking = () => View | null;

/**
 * `maintenance on|off NODE`: the node gives its addresses to others and takes
 * none, until it is lifted; a reboot does not lift it. Refused where no other
 * node could serve, unless that risk is accepted.
 */
export async function setMaintenance(
  pair: Pair,
  act: MaintenanceAct,
  report: Report,
  view: Looking = () => null,
): Promise<ActResult> {
  const { node, on, header } = act;
  requireNode(pair, node, 'name one of them');
  const held = on ? heldBy(pair, node) : [];
  if (on && mayServe(pair, node) && !header.acceptRisks.includes('peer-unhealthy'))
    refuseAlone(pair, node);
  const key = maintenanceKey(node);
  const cut = held.length > 0 && present(pair).length > 1;
  const sessions = cut ? sessionsOn(pair, node) : null;
  if (cut && wish(pair.intents(), key, pair.clock.wallMs()) === null)
    report({ step: 'sessions', text: cutText(pair, [node]), tookMs: 0 });
  const done = await setSwitch(
    pair,
    { ...act, key, on, said: `maintenance ${node}` },
    report,
    view,
  );
  const moves = on && done.changed && present(pair).length > 1;
  if (!moves || held.length === 0) return done;
  const left = (): boolean =>
    held.every((id) => {
      const masters = mastersOf(pair, id);
      return masters.length === 1 && masters[0] !== node;
    });
  const reached = await until(pair, left, waitMs(header));
  const addresses = held.map((id) => moved(pair, id, node, sessions));
  if (reached) return { ...done, addresses };
  return {
    ...done,
    addresses,
    outcome: 'partial',
    error: {
      code: 'not_finished',
      message: `maintenance of ${node} is in force, and it still holds ${heldBy(pair, node).join(', ')}`,
      cause: '',
      remediation: 'proxyctl status shows why; it moves as soon as another node can serve',
      retryable: true,
    },
  };
}

/** It is not known to be unable to serve, nor in maintenance already. */
const mayServe = (pair: Pair, node: string): boolean => {
  const one = pair.view().find((view) => view.node === node && view.fresh);
  return one !== undefined && whyNot(pair, one) === null;
};

interface Switch {
  readonly header: MaintenanceAct['header'];
  readonly key: string;
  readonly on: boolean;
  readonly untilMs: number | null;
  readonly said: string;
}

/** Stores one wish that is on or off; saying it twice changes nothing. */
async function setSwitch(
  pair: Pair,
  act: Switch,
  report: Report,
  view: Looking,
): Promise<ActResult> {
  const startedAtMs = pair.clock.nowMs();
  const { header, key, on, untilMs } = act;
  const say = steps(pair.clock, report);
  refuseStale(pair, header, [key]);
  const outcome = absent(pair).length === 0 ? 'reached' : 'partial';
  const isOn = wish(pair.intents(), key, pair.clock.wallMs()) !== null;
  if (isOn === on && untilMs === null) {
    return result(pair, header, startedAtMs, { outcome, nodes: untouched(pair) });
  }
  const intents = stamped(pair, header, [{ key, value: on ? 'on' : '', deleted: !on, untilMs }]);
  if (header.dryRun) {
    const addresses = foreseen(pair, view(), intents);
    return result(pair, header, startedAtMs, { outcome: 'would-change', addresses });
  }
  const nodes = await storeEverywhere(pair, intents);
  refuseUnstored(nodes);
  const stored = nodes.filter(({ ok }) => ok).map(({ node }) => node);
  say('storing', `${act.said} = ${on ? 'on' : 'off'} on ${stored.join(', ')}`);
  return result(pair, header, startedAtMs, { outcome, changed: true, nodes });
}

/** What would move once these are stored. */
function foreseen(pair: Pair, view: View | null, intents: readonly Intent[]): MovedAddress[] {
  if (view === null) return [];
  const wished = new Map([...view.intents, ...intents.map((one) => [one.key, one] as const)]);
  return forecast(view, wished, pair.clock.nowMs()).map(({ address: id, from, to }) => {
    const [address] = addressesOf(pair, [id]);
    return {
      address: id,
      vhid: address?.vhid ?? 0,
      vips: address?.vips ?? [],
      from: from ?? '',
      to,
      outcome: 'would-move',
      darkMsMax: null,
      sessions: from === null ? null : sessionsOn(pair, from),
      pin: wish(pair.intents(), pinKey(id), pair.clock.wallMs()),
    };
  });
}

/** Addresses of which the node is MASTER now. */
const heldBy = (pair: Pair, node: string): string[] =>
  pair.view().some(({ report }) => (report?.addresses.length ?? 0) > 0)
    ? addressesOf(pair, [])
        .map(({ id }) => id)
        .filter((id) => mastersOf(pair, id).includes(node))
    : [];

/**
 * Throws ActFailure 'unsafe' where no other node in touch could serve: HAProxy down, in
 * maintenance as well, its vhid INIT, shutting down, or only observing. One whose HAProxy cannot
 * be asked could; one that is away catches up.
 */
function refuseAlone(pair: Pair, node: string): void {
  const others = pair.view().filter((one) => one.node !== node && one.fresh);
  const causes = others.map((one) => whyNot(pair, one));
  const [first = null] = causes;
  if (first === null || causes.includes(null)) return;
  throw new ActFailure('unsafe', {
    code: 'peer_unhealthy',
    message: `no other node can serve in the place of ${node}`,
    cause: first,
    remediation: 'mend that first, or accept it: --accept-risk=peer-unhealthy',
    retryable: true,
  });
}

/** Why that node could not serve; null: it could. */
function whyNot(pair: Pair, { node, report }: NodeView): string | null {
  if (report === null) return `nothing is known of ${node}`;
  if (report.health === 'down') return `${report.healthReason} on ${node}`;
  if (wish(pair.intents(), maintenanceKey(node), pair.clock.wallMs()) !== null)
    return `${node} is in maintenance`;
  if (report.leaving) return `${node} is shutting down`;
  if (isObserver(report)) return `the agent on ${node} is not privileged and only observes`;
  const { addresses, fenced } = report;
  return addresses.length > 0 && !fenced && addresses.every(({ state }) => state === 'INIT')
    ? `every vhid is INIT on ${node}`
    : null;
}

function moved(pair: Pair, id: string, from: string, sessions: number | null): MovedAddress {
  const [address] = addressesOf(pair, [id]);
  const [to = ''] = mastersOf(pair, id);
  return {
    address: id,
    vhid: address?.vhid ?? 0,
    vips: address?.vips ?? [],
    from,
    to: to === from ? '' : to,
    outcome: to === from || to === '' ? 'failed' : 'moved',
    darkMsMax: null,
    sessions,
    pin: null,
  };
}
