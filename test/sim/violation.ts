/** What an invariant says when it does not hold. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly invariant: string;

  constructor(invariant: string, text: string) {
    super(text);
    this.invariant = invariant;
  }
}
