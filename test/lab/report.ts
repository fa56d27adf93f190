import { join } from 'node:path';
import { INTERFACE, type AgentProgram, type LabPlan, type Site } from './plan.ts';

/** What `up` prints: everything a script needs to use the lab. */
export interface LabReport {
  readonly name: string;
  readonly root: boolean;
  readonly runtime: string;
  readonly freebsd: number;
  readonly preempt: boolean;
  readonly supervisor_pid: number | null;
  readonly namespaces: Readonly<Record<string, string>>;
  readonly vip4: string;
  readonly vip6: string;
  readonly addresses: readonly {
    readonly id: string;
    readonly vhid: number;
    readonly vip4: string;
    readonly vip6: string;
  }[];
  readonly http: number;
  readonly https: number;
  readonly ca: string;
  /** The file that Node runs as proxyctl. */
  readonly proxyctl: string;
  readonly proxyctl_config: string;
  readonly nodes: readonly LabNode[];
}

export interface LabNode {
  readonly name: string;
  readonly address4: string;
  readonly address6: string;
  /** Null: this checkout's, or the package's in a lab as packaged. */
  readonly agent: AgentProgram | null;
  readonly agent_pid: number | null;
  readonly haproxy_pid: number | null;
  readonly carp_pid: number | null;
  readonly agent_socket: string;
  readonly stats_socket: string;
  readonly agent_config: string;
  readonly haproxy_config: string;
  readonly cert_path: string;
  /** Its other certificates, in a lab that was asked for some. */
  readonly more?: readonly Site[];
  readonly state_dir: string;
  readonly log: string;
  /** ifconfig, sysctl and kldstat of this host. */
  readonly tools: string;
}

/** The report of a lab; `pids` by NODE/PROGRAM, `agents` by node. */
export function describeLab(
  plan: LabPlan,
  root: boolean,
  pids: ReadonlyMap<string, number>,
  agents: ReadonlyMap<string, AgentProgram>,
): LabReport {
  const { name, runtime, vip4, vip6, vips } = plan;
  return {
    name,
    root,
    runtime,
    freebsd: plan.freebsd,
    preempt: plan.preempt,
    supervisor_pid: pids.get('supervisor') ?? null,
    namespaces: {
      client: plan.client,
      backends: plan.backends,
      net: plan.switchNamespace,
      ...Object.fromEntries(plan.hosts.map(({ node, namespace }) => [node, namespace])),
    },
    vip4,
    vip6,
    addresses: vips.map((one) => ({ id: `${one.vhid}@${INTERFACE.freebsd}`, ...one })),
    http: 80,
    https: 443,
    ca: join(runtime, 'ca.pem'),
    proxyctl: plan.proxyctl,
    proxyctl_config: join(runtime, 'proxyctl.toml'),
    nodes: plan.hosts.map((host) => ({
      name: host.node,
      address4: host.address4,
      address6: host.address6,
      agent: agents.get(host.node) ?? null,
      agent_pid: pids.get(`${host.node}/agent`) ?? null,
      haproxy_pid: pids.get(`${host.node}/haproxy`) ?? null,
      carp_pid: pids.get(`${host.node}/carp`) ?? null,
      agent_socket: host.agentSocket,
      stats_socket: host.statsSocket,
      agent_config: host.agentConfig,
      haproxy_config: host.haproxyConfig,
      cert_path: host.certPath,
      ...(host.more.length > 0 ? { more: host.more } : {}),
      state_dir: host.stateDir,
      log: host.log,
      tools: join(host.folder, 'bin'),
    })),
  };
}
