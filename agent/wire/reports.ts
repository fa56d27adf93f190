import type {
  AddressReport,
  HaproxyReport,
  HaproxyState,
  Health,
  KnownBase,
  NodeReport,
  Problem,
} from '../core/model.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import { appliedFromWire, seenFromWire, seenToWire } from './intents.ts';
import { notifyFromWire, notifyToWire } from './notify.ts';
import { WireError, ageMs, each, enumOrUnknown, enumValue, filled, orNull } from './fields.ts';
import { uint32, within, wordOrUnknown } from './fields.ts';

const CARP_STATES = ['INIT', 'BACKUP', 'MASTER'] as const;
const HAPROXY_STATES = ['up', 'hung', 'down', 'stopping', 'unknown'] as const;
const HEALTHS = ['serving', 'degraded', 'down', 'partly', 'unknown'] as const;
const ICMP = ['raw-socket', 'ping', 'none'] as const;
const CARP_EVENTS = ['events', 'polling'] as const;

/**
 * A report as it travels: what the model holds as readings of this host's
 * monotonic clock becomes ages at `nowMs`, the moment of sending.
 */
export function reportToWire(
  report: NodeReport,
  nowMs: number,
): proxyctl.v1.NodeReport.$Properties {
  const { health, healthSinceMs, addresses, haproxy, problems, seen, applied, ...others } = report;
  const { agentStartedMs, networks, knownBases, doubles, notify, ...rest } = others;
  return {
    ...rest,
    agentUpMs: ageMs(nowMs, agentStartedMs),
    addresses: addresses.map((address) => addressToWire(address, nowMs)),
    haproxy: haproxy.map((one) => haproxyToWire(one, nowMs)),
    health: enumValue(asBefore(health), HEALTHS),
    ...(asBefore(health) === health ? {} : { exactHealth: enumValue(health, HEALTHS) }),
    healthAgeMs: ageMs(nowMs, healthSinceMs),
    problems: problems.map(({ sinceMs, ...problem }) => ({
      ...problem,
      ageMs: ageMs(nowMs, sinceMs),
    })),
    seen: seen.map(seenToWire),
    doubles: [...doubles],
    applied: fitting(applied),
    notify: notifyToWire(notify),
    networks: networks.map((one) => ({ ...one, addresses: [...one.addresses] })),
    knownBases: [...knownBases],
  };
}

/** The word for it that an agent knows which has fewer: what it would have said itself. */
const asBefore = (health: Health): Health =>
  health === 'partly' ? 'down' : health === 'unknown' ? 'serving' : health;
/** The same for the state of one HAProxy. */
const stateBefore = (state: HaproxyState): HaproxyState =>
  state === 'stopping' ? 'down' : state === 'unknown' ? 'up' : state;
/** Characters of a problem that travel, and bytes of all records: a message carries 4 MB. */
const LONGEST_PROBLEM = 200;
const MOST_APPLIED = 3 << 20;

/** As many records as fit one message with the rest of the report; of the others nothing is said. */
function fitting(applied: NodeReport['applied']): proxyctl.v1.AppliedIntent.$Properties[] {
  let size = 0;
  const records = applied.map((one) => ({
    ...one,
    problem: one.problem.slice(0, LONGEST_PROBLEM),
  }));
  const over = records.findIndex(({ key, problem, stamp }) => {
    size += Buffer.byteLength(key + problem + stamp.node) + 40;
    return size > MOST_APPLIED;
  });
  return over < 0 ? records : records.slice(0, over);
}

/**
 * A report on arrival at `nowMs` of this host's monotonic clock; throws WireError. A word
 * of a newer agent becomes unknown: a peer is not deaf during a rolling upgrade.
 */
export function reportFromWire(
  wire: proxyctl.v1.NodeReport,
  nowMs: number,
  field: string,
): NodeReport {
  return {
    node: filled(`${field}.node`, wire.node),
    epoch: wire.epoch,
    startId: wire.startId,
    sequence: wire.sequence,
    protocol: wire.protocol,
    agentVersion: wire.agentVersion,
    joined: wire.joined,
    leaving: wire.leaving,
    fenced: wire.fenced,
    preempt: wire.preempt ?? null,
    demotion: wire.demotion,
    addresses: each(`${field}.addresses`, wire.addresses, (one, at) =>
      addressFromWire(one, nowMs, at),
    ),
    networks: each(`${field}.networks`, wire.networks, ({ network, addresses }, at) => ({
      network: filled(`${at}.network`, network),
      addresses,
    })),
    knownBases: each(`${field}.known_bases`, wire.knownBases, baseFromWire),
    haproxy: each(`${field}.haproxy`, wire.haproxy, (one, at) => haproxyFromWire(one, nowMs, at)),
    health: HEALTHS[wire.exactHealth - 1] ?? enumOrUnknown(wire.health, HEALTHS),
    healthSinceMs: nowMs - wire.healthAgeMs,
    healthReason: wire.healthReason,
    problems: each(`${field}.problems`, wire.problems, (one, at) =>
      problemFromWire(one, nowMs, at),
    ),
    seen: each(`${field}.seen`, wire.seen, seenFromWire),
    doubles: wire.doubles,
    applied: each(`${field}.applied`, wire.applied, appliedFromWire),
    notify: notifyFromWire(wire.notify),
    icmp: wordOrUnknown(wire.icmp, ICMP),
    carpEvents: wordOrUnknown(wire.carpEvents, CARP_EVENTS),
    agentStartedMs: nowMs - wire.agentUpMs,
    wallMs: within(`${field}.wall_ms`, wire.wallMs, 0, Number.MAX_SAFE_INTEGER),
  };
}

function addressToWire(
  address: AddressReport,
  nowMs: number,
): proxyctl.v1.AddressReport.$Properties {
  const { state, stateSinceMs, owner, yieldTo, reasonSinceMs, readySinceMs, ...others } = address;
  const { movesAtMs, heldAtMs, ...rest } = others;
  return {
    ...rest,
    heldAgeMs: heldAtMs === null ? null : ageMs(nowMs, heldAtMs),
    vips: [...rest.vips],
    state: enumValue(state, CARP_STATES),
    stateAgeMs: ageMs(nowMs, stateSinceMs),
    owner: owner ?? '',
    yieldTo: yieldTo ?? '',
    reasonAgeMs: ageMs(nowMs, reasonSinceMs),
    readyAgeMs: ageMs(nowMs, readySinceMs),
    movesAgeMs: movesAtMs.map((atMs) => ageMs(nowMs, atMs)),
  };
}

function addressFromWire(
  wire: proxyctl.v1.AddressReport,
  nowMs: number,
  field: string,
): AddressReport {
  const { address, vhid, network, advskew, baseAdvskew } = wire;
  filled(`${field}.network`, network);
  if (address !== `${vhid}@${network}`)
    throw new WireError(`${field}.address`, `${JSON.stringify(address)} is not ${vhid}@${network}`);
  return {
    address,
    // Bounds of carp_ioctl() in FreeBSD sys/netinet/ip_carp.c.
    vhid: within(`${field}.vhid`, vhid, 1, 255),
    network,
    interface: filled(`${field}.interface`, wire.interface),
    vips: wire.vips,
    state: enumOrUnknown(wire.state, CARP_STATES),
    stateSinceMs: nowMs - wire.stateAgeMs,
    heldAtMs:
      wire.heldAgeMs === null || wire.heldAgeMs === undefined ? null : nowMs - wire.heldAgeMs,
    advbase: within(`${field}.advbase`, wire.advbase, 1, 255),
    advskew: within(`${field}.advskew`, advskew, 0, 254),
    baseAdvskew:
      baseAdvskew === null || baseAdvskew === undefined
        ? null
        : within(`${field}.base_advskew`, baseAdvskew, 0, 254),
    owner: orNull(wire.owner),
    yieldTo: orNull(wire.yieldTo),
    reason: wire.reason,
    reasonSinceMs: nowMs - wire.reasonAgeMs,
    readySinceMs: nowMs - wire.readyAgeMs,
    byHand: wire.byHand,
    advertsLost: wire.advertsLost,
    cutOff: wire.cutOff,
    inTouch: wire.inTouch,
    movesAtMs: wire.movesAgeMs.map((age) => nowMs - age),
  };
}

function baseFromWire(wire: proxyctl.v1.KnownBase, field: string): KnownBase {
  const { node, address, base } = wire;
  return {
    node: filled(`${field}.node`, node),
    address: filled(`${field}.address`, address),
    base: within(`${field}.base`, base, 0, 254),
  };
}

function haproxyToWire(
  haproxy: HaproxyReport,
  nowMs: number,
): proxyctl.v1.HaproxyReport.$Properties {
  const { state, stateSinceMs, startedMs, frontends, backends, certificates, ...others } = haproxy;
  const { drift, older, ...rest } = others;
  return {
    ...rest,
    upMs: ageMs(nowMs, startedMs),
    sessions: uint32(rest.sessions),
    older: { ...older, sessions: uint32(older.sessions) },
    state: enumValue(stateBefore(state), HAPROXY_STATES),
    ...(stateBefore(state) === state ? {} : { exactState: enumValue(state, HAPROXY_STATES) }),
    stateAgeMs: ageMs(nowMs, stateSinceMs),
    frontends: [...frontends],
    backends: [...backends],
    certificates: certificates.map((one) => ({
      ...one,
      fingerprint: one.fingerprint ?? '',
      names: [...one.names],
    })),
    drift: [...drift],
  };
}

function haproxyFromWire(
  wire: proxyctl.v1.HaproxyReport,
  nowMs: number,
  field: string,
): HaproxyReport {
  return {
    instance: wire.instance,
    state: HAPROXY_STATES[wire.exactState - 1] ?? enumOrUnknown(wire.state, HAPROXY_STATES),
    stateSinceMs: nowMs - wire.stateAgeMs,
    problem: wire.problem,
    version: wire.version,
    pid: wire.pid,
    startedMs: nowMs - wire.upMs,
    sessions: wire.sessions,
    older: olderFromWire(wire.older),
    frontends: each(`${field}.frontends`, wire.frontends, ({ name, open, required }, at) => ({
      name: filled(`${at}.name`, name),
      open,
      required,
    })),
    backends: each(`${field}.backends`, wire.backends, (one, at) => ({
      name: filled(`${at}.name`, one.name),
      up: one.up,
      serversUp: within(`${at}.servers_up`, one.serversUp, 0, one.servers),
      servers: one.servers,
    })),
    certificates: each(`${field}.certificates`, wire.certificates, (one, at) => ({
      path: filled(`${at}.path`, one.path),
      fingerprint: one.fingerprint === '' ? null : one.fingerprint,
      notAfter: one.notAfter,
      names: one.names,
    })),
    drift: wire.drift.map(({ backend, server, is, should, wished }) => ({
      backend,
      server,
      is,
      should,
      wished,
    })),
    drifted: wire.drifted,
  };
}

/** An agent of an earlier version counts none and says so. */
const olderFromWire = (
  wire: proxyctl.v1.OlderProcesses | null | undefined,
): HaproxyReport['older'] => {
  if (!wire) return { processes: 0, sessions: 0, uncounted: 0, problem: NOT_SAID };
  const { processes, sessions, uncounted, problem } = wire;
  return { processes, sessions, uncounted, problem };
};

const NOT_SAID = 'its agent is of an earlier version';

function problemFromWire(wire: proxyctl.v1.Problem, nowMs: number, field: string): Problem {
  const { subject, cause, remedy, ageMs } = wire;
  return { subject: filled(`${field}.subject`, subject), cause, remedy, sinceMs: nowMs - ageMs };
}
