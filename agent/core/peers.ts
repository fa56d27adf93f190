import type { NodeReport, NodeView, PathReading, PeerClass, Start } from './model.ts';
import { CUT_MS, PROBES_LOST, STEADY_MS, type Timing } from './timing.ts';

/** The two are of one start of an agent, as far as is known: who relays for an older agent may tell no `startId`. */
export const isSameStart = (a: Start, b: Start): boolean =>
  a.epoch === b.epoch && (a.startId === b.startId || a.startId === 0 || b.startId === 0);

/** What the transport knows of one peer; readings of this host's monotonic clock. */
export interface Contact {
  readonly node: string;
  /** Anything received from its agent; null: never since our start. */
  readonly heardAtMs: number | null;
  /** When its report was last known to be its present one; null: never. */
  readonly currentAtMs: number | null;
  /** Its agent said goodbye, or its end of the connection was closed or refused while the host answers. */
  readonly agentGoneAtMs: number | null;
}

/** Silence of everybody on one network. */
export interface Silence {
  readonly now: boolean;
  /** When it was noticed. */
  readonly sinceMs: number;
  /** When it was last so. */
  readonly atMs: number;
}

/**
 * Contact with what others say of a node that they hear themselves; `relayedAtMs`:
 * when its report here was the present one by their word. A word that may have
 * been on its way when the end of the connection was seen here does not count.
 */
export function withRelayed(
  contact: Contact,
  relayedAtMs: number | null,
  { suspectMs }: Timing,
): Contact {
  const { heardAtMs, currentAtMs, agentGoneAtMs } = contact;
  if (relayedAtMs === null || relayedAtMs < (agentGoneAtMs ?? -Infinity) + suspectMs)
    return contact;
  return {
    ...contact,
    heardAtMs: Math.max(heardAtMs ?? -Infinity, relayedAtMs),
    currentAtMs: Math.max(currentAtMs ?? -Infinity, relayedAtMs),
    agentGoneAtMs: null,
  };
}

/** What is believed of a peer from how and when it was last heard. */
export function peerClass(contact: Contact, timing: Timing, nowMs: number): PeerClass {
  const { heardAtMs, agentGoneAtMs } = contact;
  if (agentGoneAtMs !== null && (heardAtMs === null || agentGoneAtMs >= heardAtMs))
    return 'agent-down';
  if (heardAtMs === null) return 'never-seen';
  return nowMs - heardAtMs < timing.suspectMs ? 'alive' : 'suspect';
}

/** True while a peer's report may take part in decisions. */
export function isFresh(contact: Contact, timing: Timing, nowMs: number): boolean {
  const { currentAtMs } = contact;
  if (currentAtMs === null || peerClass(contact, timing, nowMs) === 'agent-down') return false;
  return nowMs - currentAtMs < timing.freshMs;
}

/** A heartbeat is overdue: too early to suspect anybody, time to look more closely. */
export const isQuiet = (
  { heardAtMs, peerClass }: NodeView,
  { heartbeatMs }: Timing,
  nowMs: number,
): boolean =>
  heardAtMs !== null && peerClass !== 'agent-down' && nowMs - heardAtMs > 1.3 * heartbeatMs;

/** Enough probes in a row went unanswered. */
export const isSilent = ({ lostInRow }: PathReading): boolean => lostInRow >= PROBES_LOST;

/**
 * The witness answered a probe that was sent when the path was silent already,
 * still does, and did so all through the silence: one that just came back was
 * lost with the peer, and it was this host that was cut off.
 */
export const speaksAgainst = (witness: PathReading, path: PathReading): boolean =>
  witness.answeredAtMs !== null &&
  path.lostSinceMs !== null &&
  witness.answeredAtMs > path.lostSinceMs &&
  witness.steadySinceMs !== null &&
  witness.steadySinceMs <= path.lostSinceMs &&
  witness.lostInRow <= 2;

/**
 * A suspect peer seen over the second path. Its host answers echo: the agent is
 * `frozen` once its report is no longer fresh. Its host was silent on every
 * path that ever answered: `dead` where a witness answered since, `isolated`
 * (it is us) where every witness is silent too. Without evidence it stays suspect.
 */
export function withEcho(
  view: NodeView,
  paths: readonly PathReading[],
  timing: Timing,
  nowMs: number,
): NodeView {
  if (view.peerClass !== 'suspect' || view.heardAtMs === null) return view;
  const proven = paths.filter(({ node, answeredAtMs }) => node === view.node && answeredAtMs);
  if (proven.length === 0) return view;
  if (!proven.every(isSilent)) {
    const silentMs = nowMs - view.heardAtMs;
    return silentMs < timing.freshMs ? view : { ...view, peerClass: 'frozen', fresh: false };
  }
  const witnesses = paths.filter(({ node }) => node === null);
  if (proven.every((path) => witnesses.some((witness) => speaksAgainst(witness, path))))
    return { ...view, peerClass: 'dead', fresh: false };
  const alone = witnesses.length > 0 && witnesses.every(isSilent);
  return alone ? { ...view, peerClass: 'isolated' } : view;
}

/**
 * Every peer and every witness that ever answered on the interface of a network
 * is silent there, and has been for `forMs`.
 */
export function isCut(
  paths: readonly PathReading[],
  network: string,
  forMs: number,
  nowMs: number,
): boolean {
  const proven = paths.filter((one) => one.network === network && one.answeredAtMs !== null);
  const long = ({ lostSinceMs }: PathReading): boolean =>
    lostSinceMs !== null && nowMs - lostSinceMs >= forMs;
  return (
    proven.some(({ node }) => node === null) && proven.every((one) => isSilent(one) && long(one))
  );
}

/**
 * Nobody there answers, and long enough for every other host to notice the same:
 * they ask in their own time, and one that is about to fall silent is no better.
 */
export const isCutOff = (silence: Silence | undefined, nowMs: number): boolean =>
  silence !== undefined && silence.now && nowMs - silence.sinceMs >= CUT_MS;

/**
 * Somebody answers on the interface of a network, and since the last time that
 * nobody did STEADY_MS have passed: one that just came back is no better than
 * one that will in a moment.
 */
export function isInTouch(
  paths: readonly PathReading[],
  network: string,
  silence: Silence | undefined,
  nowMs: number,
): boolean {
  const answered = paths.some((one) => one.network === network && one.answeredAtMs !== null);
  return answered && (silence === undefined || (!silence.now && nowMs - silence.atMs >= STEADY_MS));
}

/** What is remembered of silence on each network that carries an address. */
export function silences(
  networks: readonly string[],
  paths: readonly PathReading[],
  before: ReadonlyMap<string, Silence>,
  nowMs: number,
): ReadonlyMap<string, Silence> {
  const after = new Map<string, Silence>();
  for (const network of networks) {
    const known = before.get(network);
    const now = isCut(paths, network, 0, nowMs);
    const sinceMs = known?.now ? known.sinceMs : nowMs;
    if (now || known?.now) after.set(network, { now, sinceMs, atMs: nowMs });
    else if (known !== undefined) after.set(network, known);
  }
  return after;
}

/** The nodes whose word counts now, in order of name. */
export function freshNodes(nodes: Iterable<NodeView>): NodeView[] {
  return [...nodes]
    .filter((view) => view.fresh && view.report !== null)
    .sort((a, b) => (a.node < b.node ? -1 : 1));
}

/** This node in the pair's view: always in touch with itself. */
export const ownView = (node: string, nowMs: number, report: NodeReport | null): NodeView => ({
  node,
  peerClass: 'alive',
  fresh: true,
  heardAtMs: nowMs,
  report,
  clockOffMs: null,
  oneWay: null,
  doubleSinceMs: null,
});
