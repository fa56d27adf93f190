/** The `result` of `wait`: every condition holds. */
export const waitedResult = (conditions: readonly string[], waitedMs: number) => ({
  conditions,
  waited_ms: waitedMs,
});
