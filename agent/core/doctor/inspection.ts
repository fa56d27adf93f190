import * as v from 'valibot';

/**
 * What one agent finds on its host when it looks, read only. Every part is a
 * fact: its value, or why it could not be looked at. It travels between agents
 * as JSON; a part that another release writes in another form is not
 * understood, and that too is a fact.
 */
export type Fact<T> = { readonly value: T } | { readonly cause: string };

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const orNull = <T extends v.GenericSchema>(schema: T) => v.nullable(schema);

const vhid = v.object({
  address: text,
  interface: text,
  vhid: count,
  state: v.picklist(['INIT', 'BACKUP', 'MASTER']),
  advbase: count,
  advskew: count,
  /** Where adverts go; null: to everybody (or the release does not say). */
  peer: v.optional(orNull(text), null),
  peer6: v.optional(orNull(text), null),
  /** As the agent knows it; null: not yet. */
  base: orNull(count),
  vips: v.array(text),
  /** The same as ADDRESS/LENGTH. */
  prefixes: v.array(text),
});
/**
 * A variable of rc.conf that makes a vhid, its password replaced; `interface` as rc.conf calls it.
 * `end`: its last line; 0 from an older agent, which reads one line.
 */
const rcLine = v.object({
  file: text,
  line: count,
  end: v.optional(count, 0),
  interface: text,
  vhid: count,
  text,
});
const carp = v.object({
  module: v.boolean(),
  preempt: orNull(v.boolean()),
  allow: orNull(v.boolean()),
  /** This agent holds `allow` at 0. */
  fenced: v.boolean(),
  demotion: v.number(),
  /** net.inet.carp.ifdown_demotion_factor */
  downFactor: v.number(),
  vhids: v.array(vhid),
  rc: v.array(rcLine),
});
/** Growth of netstat's carp counters over `ms`. */
const counters = v.object({
  ms: count,
  sent: v.object({ v4: count, v6: count }),
  received: v.object({ v4: count, v6: count }),
  badAuth: count,
  badVhid: count,
});
/** What pf does with adverts; `rule` is the one that decides, null for pf's own default. */
const pf = v.object({
  enabled: v.boolean(),
  adverts: v.array(
    v.object({
      interface: text,
      family: v.picklist(['inet', 'inet6']),
      direction: v.picklist(['in', 'out']),
      passes: v.boolean(),
      rule: orNull(text),
    }),
  ),
});
/** `mac` of the pair's IPv6 addresses on this host; `untold`: why others hear nothing of moves. */
const neighbours = v.object({
  untold: orNull(text),
  entries: v.array(v.object({ address: text, vhid: count, vip: text, mac: text })),
});
/** Line of which file; absent: `path` of the configuration. */
const place = { line: count, file: v.exactOptional(text) };
const server = v.object({
  backend: text,
  name: text,
  host: text,
  port: count,
  /** True also where only HAProxy can tell. */
  check: v.boolean(),
  ...place,
  text,
});
const config = v.object({
  path: text,
  /** HAProxy may have been started with other files than those that were read. */
  unsure: v.exactOptional(v.boolean()),
  /** SHA-256 of its lines without comments; the node's own name is left out. */
  digest: text,
  sections: v.array(v.object({ name: text, digest: text })),
  /** Level `unknown`: it stands in a condition, or has a variable in it. */
  sockets: v.array(v.object({ path: text, level: text, ...place, text })),
  servers: v.array(server),
  tables: v.array(v.object({ section: text, ...place, text, peers: orNull(text) })),
  peers: v.array(text),
  /** Names that frontends with TLS choose by. */
  hosts: v.array(v.object({ name: text, section: text, ...place })),
  /** Backends that get /.well-known/acme-challenge/. */
  acme: v.array(v.object({ section: text, ...place, backend: text })),
  /** Where a frontend that speaks plain HTTP on port 80 begins; null: there is none. */
  plain: orNull(v.object({ section: text, ...place })),
});
const knock = v.object({ address: text, answers: v.boolean(), why: text });
const probe = v.object({
  backend: text,
  server: text,
  host: text,
  port: count,
  ...place,
  text,
  addresses: v.array(knock),
});
const certificate = v.object({
  path: text,
  /** Permission bits of the file that holds the key. */
  keyFile: text,
  mode: count,
  names: v.array(text),
  notAfter: text,
  /** From now; negative: ended. */
  endsInMs: orNull(v.number()),
  problem: orNull(v.object({ code: text, why: text, remedy: text })),
  warnings: v.array(text),
  tooLarge: orNull(text),
  /** HAProxy has it loaded, and none of its files names it; an older agent does not look. */
  unnamed: v.exactOptional(v.boolean()),
});

/** A state file of HAProxy with something amiss. */
const stateFile = v.object({
  path: text,
  /** The one backend whose servers it has; null: of all. */
  of: orNull(text),
  /** The first of those that begin with it. */
  backends: v.array(text),
  missing: v.boolean(),
  /** Why HAProxy cannot use it; empty: it can. */
  problem: text,
  /** ISO 8601; empty: not known. */
  writtenAt: text,
  /** It was saved just before the process that runs began. */
  savedAtStart: v.boolean(),
  /** The first of `backs` states and weights that it would change. */
  back: v.array(v.object({ backend: text, server: text, is: text, brings: text })),
  backs: count,
  /** The first of `goners` servers, BACKEND/SERVER, that are nowhere else. */
  gone: v.array(text),
  goners: count,
});

const fact = <T extends v.GenericSchema>(value: T) =>
  v.union([v.object({ value }), v.object({ cause: text })]);

/** Every part with its shape; the order is the order in which doctor says what it could not see. */
export const PARTS = {
  carp: fact(carp),
  counters: fact(counters),
  pf: fact(pf),
  /** An agent that is older does not look at it. */
  neighbours: v.optional(fact(neighbours), { value: { untold: null, entries: [] } }),
  config: fact(config),
  /** What the configured check command says. */
  check: fact(v.object({ ok: v.boolean(), command: text, said: v.array(text) })),
  /** Whether HAProxy answers on its stats socket; `why` not. */
  running: fact(v.object({ answers: v.boolean(), why: text })),
  /** Level of the stats socket in use. */
  level: fact(v.object({ path: text, level: text })),
  probes: fact(v.array(probe)),
  certificates: fact(v.array(certificate)),
  /** Other files with keys of the agent's own. */
  keys: fact(v.array(v.object({ path: text, mode: count }))),
  /** Servers that HAProxy was told to drain or take out. */
  lowered: fact(v.array(v.object({ backend: text, server: text, state: text }))),
  /** An agent that is older does not look at them. */
  stateFiles: v.optional(fact(v.array(stateFile)), { value: [] }),
  /** Path of an open certificate transaction that no swap of the agents explains. */
  transaction: fact(orNull(text)),
  /** The configured addresses of the ACME responder. */
  responder: fact(v.array(knock)),
  witness: fact(v.object({ known: count, answered: count })),
  /** Others that act on CARP. */
  others: fact(v.array(v.object({ what: text, file: text, line: count, text }))),
} as const;

export type PartName = keyof typeof PARTS;
type Parts = { readonly [P in PartName]: v.InferOutput<(typeof PARTS)[P]> };

export interface Inspection extends Parts {
  readonly node: string;
  readonly agentVersion: string;
}

export type CarpFacts = v.InferOutput<typeof carp>;
export type VhidFacts = v.InferOutput<typeof vhid>;
export type RcLine = v.InferOutput<typeof rcLine>;
export type Counters = v.InferOutput<typeof counters>;
export type NeighbourFacts = v.InferOutput<typeof neighbours>;
export type PfFacts = v.InferOutput<typeof pf>;
export type ConfigFacts = v.InferOutput<typeof config>;
export type Probe = v.InferOutput<typeof probe>;
export type Knock = v.InferOutput<typeof knock>;
export type StateFileFacts = v.InferOutput<typeof stateFile>;
export type CertificateFacts = v.InferOutput<typeof certificate>;

/** What the asked agent knows by itself of the pair. */
export interface Pairwise {
  /** Configured nodes that could not be inspected, and why. */
  readonly away: readonly { readonly node: string; readonly why: string }[];
  /** Clocks of the others less that of the asked node, ms. */
  readonly clocks: readonly { readonly node: string; readonly offMs: number }[];
  readonly asked: string;
  /** Nodes in touch that cannot look for older HAProxy processes. */
  readonly uncounted: readonly {
    readonly node: string;
    readonly cause: string;
    readonly remedy: string;
  }[];
  /** BACKEND/SERVER that operators want lowered. */
  readonly wished: readonly string[];
  /** Days before the end of a certificate at which it is a finding. */
  readonly alarmDays: number;
}

/** The value of a fact; null where it could not be looked at (unknown.ts says so). */
export const known = <T>(fact: Fact<T>): T | null => ('value' in fact ? fact.value : null);

/** An inspection out of another agent's JSON; a part that is not understood becomes a fact that says so. */
export function inspectionFrom(node: string, json: string): Inspection {
  let raw: unknown = null;
  try {
    raw = JSON.parse(json);
  } catch {
    // Every part says below that it is not understood.
  }
  const whole = typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>) : {};
  const version = whole['agentVersion'];
  const agentVersion = typeof version === 'string' ? version : '?';
  const parts = Object.fromEntries(
    Object.entries(PARTS).map(([name, schema]) => {
      const read = v.safeParse(schema, whole[name]);
      const cause = `proxyagent ${agentVersion} on ${node} answers in another form`;
      return [name, read.success ? read.output : { cause }];
    }),
  ) as unknown as Parts;
  return { ...parts, node, agentVersion };
}
