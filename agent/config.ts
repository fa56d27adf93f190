/** What agent.toml says, defaults filled in, durations in milliseconds, paths absolute. */
export interface Config {
  readonly node: string;
  readonly pair: string;
  /** HOST:PORT or [HOST]:PORT each. */
  readonly listen: readonly string[];
  readonly user: string;
  /** Directory of state.json and the journals. */
  readonly state: string;
  readonly socket: { readonly path: string; readonly group: string; readonly role: SocketRole };
  readonly log: {
    readonly file: string;
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'json' | 'text';
  };
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly peers: readonly { readonly node: string; readonly address: readonly string[] }[];
  /** Null: every interface that carries a vhid. */
  readonly networks: readonly NetworkConfig[] | null;
  readonly carp: {
    /** Empty: poll every second. */
    readonly devd: string;
    readonly tools: {
      readonly ifconfig: string;
      readonly sysctl: string;
      readonly kldstat: string;
    };
  };
  readonly haproxy: {
    readonly config: string;
    /** Empty: the first admin `stats socket` of `config`. */
    readonly socket: string;
    /** Required ones; empty: all. */
    readonly frontends: readonly string[];
    readonly probe: string;
    readonly hungAfterMs: number;
    readonly drift: 'report' | 'restore';
    readonly check: readonly string[];
    readonly reload: readonly string[];
  };
  readonly policy: {
    readonly failback: 'auto' | 'manual';
    readonly holdMs: number;
    readonly maxMoves: number;
    readonly windowMs: number;
    readonly detect: 'fast' | 'calm';
    readonly earlyTakeoverMs: number;
    readonly fence: boolean;
    readonly witness: readonly string[];
  };
  readonly certificates: {
    readonly directories: readonly string[];
    readonly alarmDays: readonly number[];
  };
  readonly acme: { readonly responder: readonly string[]; readonly tokenTtlMs: number };
  readonly metrics: { readonly listen: readonly string[] };
}

export type SocketRole = 'viewer' | 'operator' | 'admin';

export interface NetworkConfig {
  readonly name: string;
  readonly interface: string;
  /** Null: all on the interface. */
  readonly vhids: readonly number[] | null;
  /** Null: learnt at first start, then stored. */
  readonly baseAdvskew: number | null;
}
