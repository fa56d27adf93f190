/** Sends ICMP and ICMPv6 echo requests; replies come when they come. */
export interface Echo {
  readonly kind: 'raw-socket' | 'ping' | 'none';
  /** Probes at most this often while all is well, and while somebody is suspect, ms. */
  readonly calmMs: number;
  readonly hastyMs: number;
  send(address: string): void;
  /**
   * Asks exactly these by itself, once every `calmMs`, and says so of every probe; absent: every
   * probe is one `send`.
   */
  readonly follow?: (addresses: readonly string[]) => void;
  close(): void;
}

export type OnReply = (address: string) => void;

/** Where no echo can be sent: nothing is ever known of a path. */
export const NO_ECHO: Echo = {
  kind: 'none',
  calmMs: 60_000,
  hastyMs: 60_000,
  send: () => undefined,
  close: () => undefined,
};
