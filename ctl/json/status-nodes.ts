import type { NodeStatus } from '../../agent/core/answers.ts';
import { isHeard } from '../../agent/core/heard.ts';
import type {
  CertificateReport,
  Drift,
  HaproxyReport,
  NodeReport,
  OlderReport,
} from '../../agent/core/model.ts';

interface DriftJson {
  readonly backend: string;
  readonly server: string;
  readonly is: string;
  readonly should: string;
  readonly wished: boolean;
}

interface HaproxyJson {
  readonly instance: string;
  readonly state: string | null;
  readonly problem: string;
  readonly version: string;
  readonly pid: number;
  readonly up_ms: number;
  readonly backends_up: number;
  readonly backends_down: number;
  readonly sessions: number;
  readonly older: {
    readonly processes: number;
    readonly sessions: number;
    readonly uncounted: number;
    readonly problem: string;
  };
  readonly drift: readonly DriftJson[];
  readonly drifted: number;
  readonly backends: readonly {
    readonly name: string;
    readonly up: boolean;
    readonly servers: number;
    readonly servers_up: number;
  }[];
}

interface CertificateJson {
  readonly path: string;
  readonly fingerprint: string | null;
  readonly not_after: string;
  readonly names: readonly string[];
}

interface AgentJson {
  readonly version: string;
  readonly protocol: number;
  readonly up_ms: number;
  readonly joined: boolean;
  readonly carp_events: string;
  readonly icmp: string;
}

/** One of the `nodes` of `status`. */
export interface StatusNodeJson {
  readonly node: string;
  readonly class: string;
  readonly health: string | null;
  readonly health_reason: string | null;
  readonly age_ms: number | null;
  readonly agent: AgentJson | null;
  readonly fenced: boolean | null;
  readonly demotion: number | null;
  readonly preempt: boolean | null;
  readonly haproxy: readonly HaproxyJson[];
  readonly certificates: readonly CertificateJson[];
}

type Age = (sinceMs: number) => number;

/** A node of a status. One that is not heard has no present state: null. */
export function statusNode(status: NodeStatus, age: Age): StatusNodeJson {
  const { node, peerClass, ageMs, report } = status;
  const heard = isHeard(status);
  const haproxy = report?.haproxy ?? [];
  return {
    node,
    class: peerClass,
    health: heard ? (report?.health ?? null) : null,
    health_reason: heard ? (report?.healthReason ?? null) : null,
    age_ms: ageMs,
    agent: report === null ? null : agentJson(report, age),
    fenced: report?.fenced ?? null,
    demotion: report?.demotion ?? null,
    preempt: report?.preempt ?? null,
    haproxy: haproxy.map((one) => haproxyJson(one, heard, age)),
    certificates: haproxy.flatMap(({ certificates }) => certificates.map(certificateJson)),
  };
}

const agentJson = (report: NodeReport, age: Age): AgentJson => ({
  version: report.agentVersion,
  protocol: report.protocol,
  up_ms: age(report.agentStartedMs),
  joined: report.joined,
  carp_events: report.carpEvents,
  icmp: report.icmp,
});

const haproxyJson = (one: HaproxyReport, heard: boolean, age: Age): HaproxyJson => ({
  instance: one.instance,
  state: heard ? one.state : null,
  problem: one.problem,
  version: one.version,
  pid: one.pid,
  up_ms: age(one.startedMs),
  backends_up: one.backends.filter(({ up }) => up).length,
  backends_down: one.backends.filter(({ up }) => !up).length,
  sessions: one.sessions,
  older: olderJson(one.older),
  drift: one.drift.map(driftJson),
  drifted: one.drifted,
  backends: one.backends.map(({ name, up, servers, serversUp }) => ({
    name,
    up,
    servers,
    servers_up: serversUp,
  })),
});

const olderJson = ({ processes, sessions, uncounted, problem }: OlderReport) => ({
  processes,
  sessions,
  uncounted,
  problem,
});

const driftJson = ({ backend, server, is, should, wished }: Drift): DriftJson => ({
  backend,
  server,
  is,
  should,
  wished,
});

const certificateJson = (one: CertificateReport): CertificateJson => ({
  path: one.path,
  fingerprint: one.fingerprint,
  not_after: one.notAfter,
  names: one.names,
});
