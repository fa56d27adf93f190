/** A fault that the nemesis may switch on. */
export interface Fault {
  /** That of test/lab/faults.ts, but for `reload` and `attack`. */
  readonly name: string;
  /** So many of it are in the deck; absent: one. */
  readonly often?: number;
  /** It is one of the whole lab: no node. */
  readonly everywhere?: true;
  /** --value is one of these. */
  readonly values?: readonly number[];
  /** For how much longer than after a death on a sound pair clients may wait where another host could serve, ms. */
  readonly moreMs: number;
  /** It keeps adverts from a kernel that would yield to them, or the kernel from its time. */
  readonly splits?: true;
  /** Clients feel it also where the address stays. */
  readonly felt?: true;
}

/** An agent that is not there moves nothing: only what the kernels and its peer do remains. */
const NO_AGENT_MS = 15_000;
/** With gossip stopped each side has to find out that nobody answers, and the kernel's timer has to end. */
const UNHEARD_MS = 10_000;
/** With adverts lost a fence has to be lifted first. */
const NO_ADVERTS_MS = 15_000;
/** Where devd is silent an agent reads within 3 s. */
const SILENT_MS = 4000;
const HOUR_S = 3600;

export const FAULTS: readonly Fault[] = [
  { name: 'kill-haproxy', often: 4, moreMs: 0, felt: true },
  { name: 'soft-stop-haproxy', often: 2, moreMs: 0, felt: true },
  { name: 'freeze-haproxy', often: 2, moreMs: 2000, felt: true },
  { name: 'reload', often: 3, moreMs: 0, felt: true },
  { name: 'kill-agent', often: 2, moreMs: NO_AGENT_MS },
  { name: 'freeze-agent', often: 2, moreMs: NO_AGENT_MS },
  { name: 'reboot-now', moreMs: NO_AGENT_MS, splits: true, felt: true },
  { name: 'cut', often: 3, moreMs: 0, splits: true, felt: true },
  { name: 'cable', moreMs: 0, splits: true, felt: true },
  { name: 'carp', moreMs: NO_ADVERTS_MS, splits: true, felt: true },
  { name: 'carp-in', moreMs: NO_ADVERTS_MS, splits: true, felt: true },
  { name: 'carp-out', moreMs: NO_ADVERTS_MS, splits: true, felt: true },
  { name: 'loss', values: [10, 30], moreMs: NO_ADVERTS_MS, splits: true, felt: true },
  { name: 'grpc', moreMs: UNHEARD_MS },
  { name: 'grpc-out', moreMs: UNHEARD_MS },
  { name: 'delay', values: [50, 300], moreMs: 3000 },
  { name: 'attack', everywhere: true, moreMs: 3000, felt: true },
  { name: 'witness', everywhere: true, moreMs: 0 },
  { name: 'disk-full', moreMs: 2000 },
  { name: 'clock', values: [HOUR_S, -HOUR_S, 24 * HOUR_S], moreMs: 0 },
  { name: 'backend', moreMs: 0 },
  { name: 'devd-gone', moreMs: SILENT_MS },
  { name: 'devd-deaf', moreMs: SILENT_MS },
  { name: 'late-advert', values: [30], moreMs: 0, felt: true },
  { name: 'ifconfig-fails', moreMs: NO_AGENT_MS },
  { name: 'ifconfig-hangs', moreMs: NO_AGENT_MS },
  { name: 'ifconfig-garbage', moreMs: NO_AGENT_MS },
];

/** What an operator may ask for. */
interface Verb {
  readonly name: string;
  readonly ofNode?: true;
}

export const VERBS: readonly Verb[] = [
  { name: 'failover', ofNode: true },
  { name: 'failback' },
  { name: 'drain' },
  { name: 'ready' },
  { name: 'maintenance-on', ofNode: true },
  { name: 'maintenance-off', ofNode: true },
  { name: 'cert-push' },
  { name: 'cert-push' },
  { name: 'failover', ofNode: true },
  { name: 'drain' },
  { name: 'pause' },
  { name: 'resume' },
];

/** The fault of this name; undefined where there is none. */
export const faultOf = (name: string): Fault | undefined => FAULTS.find((one) => one.name === name);

/** They get into each other's way on one host: a new HAProxy beside a frozen one, which nobody would let go on. */
export const clash = (one: string, other: string): boolean =>
  one === other ||
  ['freeze-haproxy', 'reload'].every((name) => name === one || name === other) ||
  ['ifconfig', 'devd'].some((kind) => one.startsWith(kind) && other.startsWith(kind));
