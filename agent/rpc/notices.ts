/** What a listener does with what the handlers cannot answer for. */
export interface Notices {
  /** A caller was turned away; `who` is an address or 'unix socket'. */
  readonly refused: (who: string, method: string, reason: string) => void;
  /** A verb failed in a way it should not: for the log, with its stack. */
  readonly failed: (method: string, error: unknown) => void;
}
