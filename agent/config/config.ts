import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { conflicts, isTable } from './conflicts.ts';
import { explain, shortened, type Path, type Reader } from './issues.ts';
import { agentToml, type AgentToml } from './schema.ts';
import { isSystemError } from '../sys/files.ts';

/** What agent.toml says, defaults filled in, durations in milliseconds, paths absolute. */
export interface Config {
  readonly node: string;
  readonly pair: string;
  /** HOST:PORT or [HOST]:PORT each. */
  readonly listen: readonly string[];
  /** Whom the agent becomes after its start as root; `root`: it stays root. */
  readonly user: string;
  /** Directory of state.json and the journals. */
  readonly state: string;
  readonly socket: { readonly path: string; readonly group: string; readonly role: SocketRole };
  readonly log: {
    readonly file: string;
    readonly level: 'debug' | 'info' | 'warn' | 'error';
    readonly format: 'json' | 'text';
    /** Who did what; empty: no file. */
    readonly audit: string;
    /** What happened; empty: no file. */
    readonly events: string;
    /** The same to standard output, which daemon(8) gives to syslog. */
    readonly auditSyslog: boolean;
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
      readonly netstat: string;
      readonly pfctl: string;
      readonly ngctl: string;
      readonly ndp: string;
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
    /** Whether configurations that operators have signed may take the place of `config`. */
    readonly deploy: boolean;
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
    readonly icmp: 'auto' | 'ping';
  };
  readonly certificates: {
    readonly directories: readonly string[];
    readonly alarmDays: readonly number[];
    /** Paths on this host by the name they have on every node. */
    readonly map: Readonly<Record<string, string>>;
  };
  readonly acme: {
    readonly responder: readonly string[];
    /** Where an ACME client on this host writes its tokens; empty: none does. */
    readonly webroot: string;
    readonly tokenTtlMs: number;
    /** URL of the ACME directory that the agents order from; empty: they order nothing. */
    readonly directory: string;
    readonly accountKey: string;
    /** A mail address for the CA; empty: none. */
    readonly contact: string;
    /** PEM of the CAs of the ACME server's own certificate; empty: the well-known ones. */
    readonly ca: string;
    readonly certificates: readonly { readonly names: readonly string[]; readonly path: string }[];
  };
  readonly notify: readonly NotifyConfig[];
  readonly metrics: { readonly listen: readonly string[] };
  /** Where the page of the pair is answered (empty: nowhere), and to which names besides localhost and addresses. */
  readonly web: { readonly listen: readonly string[]; readonly names: readonly string[] };
}

/** One [[notify]]; of the keys of other kinds than its own the defaults. */
export interface NotifyConfig {
  readonly name: string;
  readonly kind: 'exec' | 'webhook' | 'mail';
  readonly severity: 'info' | 'warn' | 'fail';
  readonly alerts: readonly string[];
  readonly kinds: readonly string[];
  readonly timeoutMs: number;
  readonly command: readonly string[];
  readonly url: string;
  readonly headersFile: string;
  readonly ca: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly sendmail: string;
}

type SocketRole = 'viewer' | 'operator' | 'admin';

export interface NetworkConfig {
  readonly name: string;
  readonly interface: string;
  /** Null: all on the interface. */
  readonly vhids: readonly number[] | null;
  /** Null: learnt at first start, then stored. */
  readonly baseAdvskew: number | null;
}

/** One thing that is wrong in agent.toml. Lines and columns count from 1. */
export interface ConfigProblem {
  readonly line: number;
  readonly column: number;
  /** Dotted, as it would be written: `policy.hold`. */
  readonly key: string;
  readonly message: string;
}

/** Everything that is wrong in one agent.toml, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    const lines = problems.map(
      ({ line, column, key, message }) =>
        `${file}:${line}:${column}: ${key === '' ? '' : `${key}: `}${message}`,
    );
    super(lines.join('\n'));
    this.problems = problems;
  }
}

/** Reads and checks agent.toml. Rejects with ConfigError, which names every problem with its line. */
export async function loadConfig(path: string): Promise<Config> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const missing = isSystemError(error, 'ENOENT');
    const cause = missing ? 'no such file' : error instanceof Error ? error.message : String(error);
    const message = `cannot be read (${cause}); name another with --config`;
    throw new ConfigError(path, [{ line: 1, column: 1, key: '', message }]);
  }
  return parseConfig(text, { file: path, hostname: hostname() });
}

/** The same from text; `hostname` gives `node` its default, up to the first dot. */
export async function parseConfig(
  text: string,
  source: { readonly file: string; readonly hostname: string },
): Promise<Config> {
  let raw: unknown;
  try {
    raw = parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const message = `no TOML: ${(error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '')}`;
    throw new ConfigError(source.file, [
      { line: error.line, column: error.column, key: '', message },
    ]);
  }
  const checked = v.safeParse(agentToml, raw);
  const own = ownName(raw, source.hostname);
  const wrong = (checked.issues ?? []).map((issue) => {
    const path = (issue.path ?? []).map(({ key }) => key as string | number);
    return { path, message: explain(issue, path, READER) };
  });
  const found = [...wrong, ...conflicts(raw, own)];
  if (checked.success && found.length === 0) return filled(checked.output, own);
  const { positionsIn } = await import('./positions.ts');
  const place = positionsIn(text);
  const problems = found
    .map(({ path, message }) => ({ ...place(path), key: dotted(path), message }))
    .sort((a, b) => a.line - b.line || a.column - b.column);
  throw new ConfigError(source.file, problems);
}

function filled(toml: AgentToml, node: string): Config {
  const {
    peer,
    network,
    log,
    carp,
    haproxy,
    policy,
    certificates,
    acme,
    notify,
    metrics,
    web,
    ...rest
  } = toml;
  return {
    ...rest,
    node,
    peers: peer,
    log: {
      file: log.file,
      level: log.level,
      format: log.format,
      audit: log.audit ?? beside(log.file, 'proxyctl-audit.log'),
      events: log.events ?? beside(log.file, 'proxyctl-events.log'),
      auditSyslog: log.audit_syslog,
    },
    networks:
      network?.map((one) => ({
        name: one.name,
        interface: one.interface,
        vhids: one.vhids ?? null,
        baseAdvskew: one.base_advskew ?? null,
      })) ?? null,
    carp: { devd: carp.devd, tools: carp.tools },
    haproxy: {
      config: haproxy.config,
      socket: haproxy.socket,
      frontends: haproxy.frontends,
      probe: haproxy.probe,
      hungAfterMs: haproxy.hung_after,
      drift: haproxy.drift,
      check: haproxy.check,
      reload: haproxy.reload,
      deploy: haproxy.deploy,
    },
    policy: {
      failback: policy.failback,
      holdMs: policy.hold,
      maxMoves: policy.max_moves,
      windowMs: policy.window,
      detect: policy.detect,
      earlyTakeoverMs: policy.early_takeover_ms,
      fence: policy.fence,
      witness: policy.witness,
      icmp: policy.icmp,
    },
    certificates: {
      directories: certificates.directories,
      alarmDays: certificates.alarm_days,
      map: certificates.map,
    },
    acme: {
      responder: acme.responder,
      webroot: acme.webroot,
      tokenTtlMs: acme.token_ttl,
      directory: acme.directory,
      accountKey: acme.account_key === '' ? join(rest.state, 'acme-account.key') : acme.account_key,
      contact: acme.contact,
      ca: acme.ca,
      certificates: acme.certificate,
    },
    notify: notify.map(({ timeout, headers_file: headersFile, from = '', ...one }) => ({
      ...one,
      from,
      headersFile,
      timeoutMs: timeout,
    })),
    metrics,
    web,
  };
}

const beside = (log: string, name: string): string => (log === '' ? '' : join(dirname(log), name));

const dotted = (path: Path): string => path.join('.');

const READER: Reader = {
  entries: agentToml.entries,
  missing: (key, issue) =>
    key === 'peer'
      ? 'missing: name the other node with [[peer]], node = "...", address = ["IP:7660"]'
      : `missing: ${issue.type === 'strict_object' ? 'must be given' : issue.message}`,
  // nan and inf have no JSON.
  shown: (_key, input) =>
    shortened(typeof input === 'number' ? String(input) : JSON.stringify(input), 60),
};

const ownName = (raw: unknown, host: string): string => {
  const named = isTable(raw) && typeof raw['node'] === 'string' ? raw['node'] : '';
  return named === '' ? (host.split('.')[0] ?? host) : named;
};
