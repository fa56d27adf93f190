/** What a handshake with one listener said of one certificate. */
export interface ListenerCheck {
  /** "frontend web (:443)"; empty: no listener is known that uses the certificate. */
  readonly listener: string;
  /** The server name that was asked; empty: none was sent. */
  readonly servername: string;
  /** The certificate was shown there. */
  readonly verified: boolean;
  /** Why not; empty where it was. */
  readonly reason: string;
}

/** Whether every listener that uses it showed it; null: an older agent did not say. */
export const verifiedBy = (checks: readonly ListenerCheck[] | undefined): boolean | null =>
  checks === undefined || checks.length === 0 ? null : checks.every(({ verified }) => verified);

/** One sentence for each listener that did not show it. */
export const notVerified = (checks: readonly ListenerCheck[] | undefined): readonly string[] =>
  (checks ?? []).flatMap(({ listener, verified, reason }) =>
    verified ? [] : [listener === '' ? reason : `${listener}: ${reason}`],
  );
