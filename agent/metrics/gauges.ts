import { Gauge, type Registry } from 'prom-client';
import type { Status } from '../core/answers.ts';
import { lastDrills } from '../core/drill.ts';
import { isHeard } from '../core/heard.ts';
import { maintenanceKey } from '../core/intents.ts';
import { kindOf } from '../core/servers/servers.ts';
import type { Health, HaproxyState, Intent, NodeReport, NodeView } from '../core/model.ts';
import type { CertificatesSeen } from '../core/certs/certificates.ts';

/** What the gauges are read from, from memory: a scrape asks nobody anything. */
export interface GaugeSource {
  readonly status: () => Status;
  readonly peers: () => readonly NodeView[];
  readonly certificates: () => CertificatesSeen;
}

/** The time of a reading: of this host's monotonic clock, and of the wall (Unix ms). */
export interface Moment {
  readonly nowMs: number;
  readonly wallMs: number;
}

/** A list of alerts or certificates has no more series than this: a scrape has an end. */
const MOST_SERIES = 500;

const HEALTHS: readonly Health[] = ['serving', 'degraded', 'partly', 'unknown', 'down'];
const HAPROXY_STATES: readonly HaproxyState[] = ['up', 'stopping', 'unknown', 'hung', 'down'];
const CARP_STATES = ['MASTER', 'BACKUP', 'INIT', 'unknown'] as const;
const SEVERITIES = ['fail', 'warn', 'unknown'] as const;

const seconds = (ms: number): number => Math.max(0, ms) / 1000;
const bit = (yes: boolean): number => (yes ? 1 : 0);

/**
 * Everything that has a present value, as gauges of `registry`. The returned function sets them all
 * anew: a series of what is no more goes with it.
 */
export function gauges(registry: Registry, source: GaugeSource): (at: Moment) => void {
  const all: Gauge[] = [];
  const plain = new Set<Gauge>();
  const gauge = (name: string, help: string, labelNames: readonly string[] = []): Gauge => {
    const made = new Gauge({ name: `proxyctl_${name}`, help, labelNames, registers: [registry] });
    all.push(made);
    if (labelNames.length === 0) plain.add(made);
    return made;
  };

  const carpState = gauge('address_carp_state', 'CARP state here; 1 for the present one.', [
    'address',
    'state',
  ]);
  const owner = gauge('address_owner', 'Who should have it by this agent; 1 for that node.', [
    'address',
    'owner',
  ]);
  const advskew = gauge('address_advskew', 'advskew as the kernel holds it, 0 to 254.', [
    'address',
  ]);
  const pinned = gauge('address_pinned', '1: pinned to a node.', ['address', 'owner']);
  const demotion = gauge('carp_demotion', 'net.inet.carp.demotion of this host.');
  const fenced = gauge('fenced', '1: this agent holds net.inet.carp.allow at 0.');
  const joined = gauge('joined', '1: this agent takes part in decisions.');
  const health = gauge('health', 'Health of this node; 1 for the present word.', ['health']);
  const haproxy = gauge('haproxy_state', 'State of HAProxy; 1 for the present word.', ['state']);
  const sessions = gauge('haproxy_sessions', 'Sessions of the HAProxy that serves.');
  const older = gauge('haproxy_older_processes', 'HAProxy processes replaced that still serve.');
  const frontend = gauge('haproxy_frontend_open', '1: the frontend is open.', ['frontend']);
  const backend = gauge('haproxy_backend_servers_up', 'Servers up of a backend.', ['backend']);
  const drifted = gauge('haproxy_drifted_servers', 'Servers changed past the agents.');
  const heard = gauge('peer_heard', '1: its reports are fresh.', ['peer']);
  const age = gauge('peer_gossip_age_seconds', 'Since anything was heard from it.', ['peer']);
  const oneWay = gauge('peer_one_way', '1: gossip passes one way only; who is deaf.', [
    'peer',
    'deaf',
  ]);
  const clockOff = gauge('peer_clock_offset_seconds', 'Its wall clock less ours.', ['peer']);
  const paused = gauge('automation_paused', '1: automation is paused.');
  const maintenance = gauge('maintenance', '1: this node is in maintenance.');
  const wishes = gauge('server_wishes', 'Drains, maints and weights in force.', ['wish']);
  const oldest = gauge('server_wish_oldest_seconds', 'Age of the oldest of them.', ['wish']);
  const alerts = gauge('alerts', 'Alerts of the pair as this agent sees it.', ['severity']);
  const alert = gauge('alert', '1: this alert stands; about: the node that noticed it.', [
    'id',
    'severity',
    'subject',
    'about',
  ]);
  const since = gauge('alert_start_timestamp_seconds', 'Since when it stands, Unix time.', [
    'id',
    'subject',
    'about',
  ]);
  const notAfter = gauge('certificate_not_after_timestamp_seconds', 'When it ends, Unix time.', [
    'certificate',
  ]);
  const finding = gauge('certificate_finding', '1: disk, memory, wire, decision or peer differ.', [
    'certificate',
    'finding',
  ]);
  const drillAt = gauge('drill_timestamp_seconds', 'When the last drill ended, or began.', [
    'kind',
  ]);
  const drillPassed = gauge('drill_passed', '1: the last drill of that kind passed.', ['kind']);
  const drillDark = gauge('drill_dark_seconds', 'How long its clients waited at most.', ['kind']);
  const looked = gauge('certificates_read_timestamp_seconds', 'When they were looked at last.');

  function ofReport(report: NodeReport): void {
    for (const one of report.addresses) {
      const { address } = one;
      for (const state of CARP_STATES) carpState.set({ address, state }, bit(one.state === state));
      if (one.owner !== null) owner.set({ address, owner: one.owner }, 1);
      advskew.set({ address }, one.advskew);
    }
    demotion.set(report.demotion);
    fenced.set(bit(report.fenced));
    joined.set(bit(report.joined));
    for (const word of HEALTHS) health.set({ health: word }, bit(report.health === word));
    for (const one of report.haproxy) {
      for (const state of HAPROXY_STATES) haproxy.set({ state }, bit(one.state === state));
      sessions.set(one.sessions);
      older.set(one.older.processes);
      drifted.set(one.drifted);
      for (const { name, open } of one.frontends.slice(0, MOST_SERIES))
        frontend.set({ frontend: name }, bit(open));
      for (const { name, serversUp } of one.backends.slice(0, MOST_SERIES))
        backend.set({ backend: name }, serversUp);
    }
  }

  function ofPeers(peers: readonly NodeView[], { nowMs }: Moment): void {
    for (const { node: peer, fresh, heardAtMs, oneWay: way, clockOffMs } of peers) {
      heard.set({ peer }, bit(fresh));
      if (heardAtMs !== null) age.set({ peer }, seconds(nowMs - heardAtMs));
      for (const deaf of ['it', 'we'] as const) oneWay.set({ peer, deaf }, bit(way?.deaf === deaf));
      if (clockOffMs !== null) clockOff.set({ peer }, clockOffMs / 1000);
    }
  }

  function ofIntents(intents: readonly Intent[], node: string, { wallMs }: Moment): void {
    maintenance.set(bit(intents.some(({ key }) => key === maintenanceKey(node))));
    for (const wish of ['drain', 'maint', 'weight']) {
      const those = intents.filter(
        ({ key, value }) => (kindOf(key) === 'state' ? value : kindOf(key)) === wish,
      );
      wishes.set({ wish }, those.length);
      const first = Math.min(...those.map(({ stamp }) => stamp.wallMs));
      oldest.set({ wish }, those.length === 0 ? 0 : seconds(wallMs - first));
    }
  }

  function ofDrills(intents: readonly Intent[], { wallMs }: Moment): void {
    for (const { kind, state, darkMs, endedWallMs, startedWallMs } of lastDrills(intents, wallMs)) {
      drillAt.set({ kind }, (endedWallMs ?? startedWallMs) / 1000);
      if (state !== 'running') drillPassed.set({ kind }, bit(state === 'passed'));
      if (darkMs !== null) drillDark.set({ kind }, darkMs / 1000);
    }
  }

  function ofAlerts(standing: Status['alerts'], { nowMs, wallMs }: Moment): void {
    for (const severity of SEVERITIES)
      alerts.set({ severity }, standing.filter((one) => one.severity === severity).length);
    for (const { id, severity, subject, node: about, sinceMs } of standing.slice(0, MOST_SERIES)) {
      alert.set({ id, severity, subject, about }, 1);
      if (sinceMs !== null) since.set({ id, subject, about }, seconds(wallMs - (nowMs - sinceMs)));
    }
  }

  function ofCertificates({ certificates, findings, atWallMs }: CertificatesSeen): void {
    if (atWallMs !== null) looked.set(seconds(atWallMs));
    for (const { name: certificate, notAfter: end } of certificates.slice(0, MOST_SERIES)) {
      const endMs = Date.parse(end);
      if (Number.isFinite(endMs)) notAfter.set({ certificate }, endMs / 1000);
    }
    for (const { id, name: certificate } of findings.slice(0, MOST_SERIES))
      finding.set({ certificate, finding: id }, 1);
  }

  return (at) => {
    for (const one of all) {
      one.reset();
      // One without labels would be 0 again, which is an answer too.
      if (plain.has(one)) one.remove();
    }
    const { node, nodes, verdicts, intents, alerts: standing, paused: isPaused } = source.status();
    const own = nodes.find((one) => one.node === node);
    if (own !== undefined && own.report !== null && isHeard(own)) ofReport(own.report);
    ofPeers(source.peers(), at);
    paused.set(bit(isPaused));
    for (const { address, pin } of verdicts)
      if (pin !== null) pinned.set({ address, owner: pin.value }, 1);
    ofIntents(intents, node, at);
    ofDrills(intents, at);
    ofAlerts(standing, at);
    ofCertificates(source.certificates());
  };
}
