import type { Setback } from '../core/certs/issuing.ts';

/** Why an order did not succeed, for people: `message` is the cause. */
export class OrderFailure extends Error {
  override readonly name = 'OrderFailure';
  readonly remedy: string;
  readonly setback: Setback;
  /** What the CA asked to wait, ms; 0: nothing. */
  readonly retryAfterMs: number;

  constructor(cause: string, remedy: string, setback: Setback = 'refused', retryAfterMs = 0) {
    super(cause);
    this.remedy = remedy;
    this.setback = setback;
    this.retryAfterMs = retryAfterMs;
  }
}

/** The order was given up on purpose: the address left, or the agent stops. No failure of anybody. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp';
}
