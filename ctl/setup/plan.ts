/** What the generators are given: an answer file after every check. */
export interface Plan {
  readonly pair: string;
  readonly network: string;
  readonly preempt: boolean;
  readonly password: string;
  readonly hosts: readonly [Host, Host];
  readonly vhids: readonly Vhid[];
  readonly operators: readonly Operator[];
  readonly sshFrom: readonly string[] | null;
  readonly operatorsFrom: readonly string[];
  readonly certificate: string;
  readonly peersPort: number;
  readonly backends: readonly Backend[];
  readonly defaultBackend: string | null;
}

export interface Host {
  /** As hostname(1) says it. */
  readonly name: string;
  /** `name` up to the first dot: what agents and HAProxy's peers call it. */
  readonly node: string;
  readonly interface: string;
  readonly addresses: readonly Prefixed[];
  readonly gateways: readonly string[];
}

export interface Prefixed {
  readonly address: string;
  readonly length: number;
  readonly family: 4 | 6;
}

export interface Vhid {
  readonly id: number;
  readonly vips: readonly Prefixed[];
  /** What the administrator wants it to be, by node; with preempt rc.conf starts higher. */
  readonly advskew: Readonly<Record<string, number>>;
}

export interface Operator {
  readonly name: string;
  readonly role: 'viewer' | 'operator' | 'admin';
}

export interface Backend {
  readonly name: string;
  readonly hosts: readonly string[];
  /** IP:PORT or [IP]:PORT. */
  readonly servers: readonly string[];
  readonly tls: boolean;
  /** Whether the server's certificate is looked at; of interest with `tls`. */
  readonly verify: boolean;
  /** Null: the CAs of the system. */
  readonly ca: string | null;
  readonly sticky: boolean;
}

/** A file as it is to be on a host; `path` without the leading slash. */
export interface Generated {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/** The other host of the pair. */
export const peerOf = ({ hosts: [first, second] }: Plan, host: Host): Host =>
  host.node === first.node ? second : first;

/** HOST:PORT, with brackets for IPv6. */
export const withPort = ({ address, family }: Prefixed, port: number): string =>
  family === 6 ? `[${address}]:${port}` : `${address}:${port}`;

/**
 * What rc.conf gives a vhid. With preempt a host that boots takes the address
 * before its agent knows of a pin or maintenance, unless it starts behind: 200
 * and its rank, and the agent puts its base from agent.toml in force.
 */
export function bootAdvskew({ preempt, hosts }: Plan, vhid: Vhid, host: Host): number {
  const own = vhid.advskew[host.node] ?? 0;
  if (!preempt) return own;
  return 200 + hosts.filter(({ node }) => (vhid.advskew[node] ?? 0) < own).length;
}
