/** Sends ICMP and ICMPv6 echo requests; replies come when they come. */
export interface Echo {
  readonly kind: 'raw-socket' | 'ping' | 'none';
  /** Probes at most this often while all is well, and while somebody is suspect, ms. */
  readonly calmMs: number;
  readonly hastyMs: number;
  send(address: string): void;
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
