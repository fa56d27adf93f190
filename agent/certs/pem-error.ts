/** Why a bundle is refused; stable words. */
export type PemProblem =
  | 'not_pem'
  | 'no_certificate'
  | 'no_key'
  | 'encrypted_key'
  | 'several_keys'
  | 'leaf_not_first'
  | 'key_mismatch'
  | 'chain_order'
  | 'expired'
  | 'not_yet_valid'
  | 'too_long';

/** A bundle that must not be served. Repeats nothing of the bundle but labels and subjects. */
export class PemError extends Error {
  override readonly name = 'PemError';
  readonly code: PemProblem;
  /** What was seen. */
  readonly why: string;
  /** What the operator can do. */
  readonly remedy: string;

  constructor(code: PemProblem, message: string, why: string, remedy: string) {
    super(message);
    this.code = code;
    this.why = why;
    this.remedy = remedy;
  }
}
