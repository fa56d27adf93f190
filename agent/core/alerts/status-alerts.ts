import { alert, type Noticed } from './alert.ts';
import type { Alert, NodeStatus, Status } from '../answers.ts';
import { addressIds, isHeard } from '../heard.ts';
import { HAPROXY_SOCKET } from '../health.ts';
import type {
  AddressReport,
  Drift,
  HaproxyReport,
  HaproxyState,
  NodeReport,
  Problem,
} from '../model.ts';
import { wishAlerts } from './wish-alerts.ts';

/** So many drifted servers of a node are named, the others counted. */
const NAMED = 3;

/** An alert of the decision, with since when it stands. */
export type Decided = Noticed & Pick<Alert, 'sinceMs'>;

/**
 * Everything that is not as it should be, as the node that answers sees it: nodes that are not
 * heard, what its decision warns of, addresses without exactly one MASTER, and each heard node's
 * own troubles. Times are of the monotonic clock `nowMs` is of; null: since when is not known.
 */
export function statusAlerts(
  { node, nodes, intents }: Pick<Status, 'node' | 'nodes' | 'intents'>,
  decided: readonly Decided[],
  nowMs: number,
): Alert[] {
  const heard = nodes.filter(isHeard);
  return [
    ...nodes
      .filter((one) => !isHeard(one))
      .map((one) => by(node, notHeard(one), since(one, nowMs))),
    ...decided.map((one) => by(node, one, one.sinceMs)),
    ...wishAlerts(heard, intents).map((one) => by(node, one, null)),
    ...addressIds({ nodes }).flatMap((id) => masterAlerts(node, nodes, id)),
    ...heard.flatMap(({ node, report }) => (report === null ? [] : ownAlerts(node, report))),
  ];
}

const by = (node: string, noticed: Noticed, sinceMs: number | null): Alert => {
  const { id, subject, severity, text, remedy } = noticed;
  return { id, node, subject, severity, text, remedy, sinceMs };
};

const since = ({ ageMs }: NodeStatus, nowMs: number): number | null =>
  ageMs === null ? null : nowMs - ageMs;

const notHeard = ({ node, problem }: NodeStatus): Noticed =>
  alert(
    'not-heard',
    node,
    `is not heard: ${problem === '' ? 'it has not reported yet' : problem}`,
    `on ${node}: service proxyagent status`,
  );

/** Where an address has not exactly one MASTER. */
function masterAlerts(node: string, nodes: readonly NodeStatus[], id: string): Alert[] {
  const readings = nodes.filter(isHeard).flatMap((one) => {
    const reading = one.report?.addresses.find(({ address }) => address === id);
    return reading === undefined ? [] : [{ node: one.node, reading }];
  });
  const masters = readings.filter(({ reading }) => reading.state === 'MASTER');
  if (masters.length === 1) return [];
  if (masters.length > 1) {
    const names = masters.map((one) => one.node).join(' and ');
    const text = `MASTER on ${names} at once`;
    const remedy = 'see that CARP adverts pass between the hosts: proxyctl doctor';
    // The second one made it so.
    return [by(node, alert('split-brain', id, text, remedy), nth(masters, 1))];
  }
  // A node that is not heard, or whose state is unknown, may have it; that is shown already.
  if (!nodes.every(isHeard) || readings.some(({ reading }) => reading.state === 'unknown'))
    return [];
  const remedy = `ifconfig on each host; proxyctl explain ${id}`;
  return [by(node, alert('no-master', id, 'no node is MASTER', remedy), nth(readings, -1))];
}

/** When the so-manieth of them, by time, came to its state. */
const nth = (readings: readonly { readonly reading: AddressReport }[], place: number) =>
  readings
    .map(({ reading }) => reading.stateSinceMs)
    .sort((a, b) => a - b)
    .at(place) ?? null;

function ownAlerts(node: string, report: NodeReport): Alert[] {
  const { fenced, problems, haproxy, health, healthReason, healthSinceMs } = report;
  const text = 'is fenced: CARP is off there until adverts arrive again';
  return [
    ...(fenced ? [by(node, alert('fenced', node, text, 'proxyctl doctor'), null)] : []),
    ...problems.map((one) => by(node, problemAlert(one), one.sinceMs)),
    ...haproxy
      // Why it cannot be asked is a problem of its own, with its remedy.
      .filter(({ state }) => state !== 'unknown' || !problems.some(isOfSocket))
      .filter(({ state, problem }) => problem !== '' || isOut(state))
      .map((one) => by(node, haproxyAlert(node, one, report), one.stateSinceMs)),
    ...haproxy.flatMap((one) => driftAlerts(node, one)).map((one) => by(node, one, null)),
    ...(health === 'degraded'
      ? [by(node, alert('degraded', 'health', healthReason, 'proxyctl servers'), healthSinceMs)]
      : []),
    ...(health === 'partly' ? [by(node, partlyAlert(node, report), healthSinceMs)] : []),
  ];
}

/** Begins the subject of the problem that a target of notifications fails. */
const NOTIFY = 'notify ';

/** Clients turn away from a certificate that has ended; nothing else here is as bad. */
const problemAlert = ({ subject, cause, remedy }: Problem): Noticed => ({
  ...(subject.startsWith(NOTIFY)
    ? alert('notify-failing', subject.slice(NOTIFY.length), cause, remedy)
    : alert('problem', subject, cause, remedy)),
  ...(subject.startsWith('certificate-expired ') ? { severity: 'fail' } : {}),
});

const isOfSocket = ({ subject }: Problem): boolean => subject === HAPROXY_SOCKET;

/** New clients get no answer from it. */
const isOut = (state: HaproxyState): state is 'down' | 'hung' | 'stopping' =>
  state === 'down' || state === 'hung' || state === 'stopping';

/** Its clients are refused where it is not up and an address is there. */
function haproxyAlert(
  node: string,
  { state, problem }: HaproxyReport,
  { addresses }: NodeReport,
): Noticed {
  if (!isOut(state)) return alert('haproxy-problem', 'haproxy', problem);
  const text = `HAProxy ${state}${problem === '' ? '' : `: ${problem}`}`;
  const noticed = alert(`haproxy-${state}`, 'haproxy', text, `on ${node}: service haproxy status`);
  const here = addresses.some((one) => one.state === 'MASTER');
  return here ? { ...noticed, severity: 'fail' } : noticed;
}

/** Its clients are refused on that frontend where an address is. */
function partlyAlert(node: string, { healthReason, addresses }: NodeReport): Noticed {
  const remedy = `on ${node}: haproxy.conf and its log; frontends in agent.toml names the required`;
  const noticed = alert('partly', 'health', healthReason, remedy);
  return addresses.some(({ state }) => state === 'MASTER')
    ? { ...noticed, severity: 'fail' }
    : noticed;
}

/** Servers that somebody changed past the agents: the first few by name. */
function driftAlerts(node: string, { drift, drifted }: HaproxyReport): Noticed[] {
  const named = drift.slice(0, NAMED).map((one) => driftAlert(node, one));
  const more = drifted - named.length;
  if (more <= 0) return named;
  return [...named, alert('drift', node, `${more} servers more`, 'proxyctl status -o json, drift')];
}

const driftAlert = (node: string, { backend, server, is, should, wished }: Drift): Noticed =>
  alert(
    'drift',
    `${backend}/${server}`,
    `${is} on ${node}, and ${should} ${wished ? 'was asked for' : 'is configured'}`,
    `changed by hand or by another tool: proxyctl servers ${backend}`,
  );
