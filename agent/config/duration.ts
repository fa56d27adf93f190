const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** "500ms", "2s", "10m", "1h", "1d" as milliseconds; null for anything else. */
export function durationMs(text: string): number | null {
  const [, amount, unit] = DURATION.exec(text) ?? [];
  const factor = unit === undefined ? undefined : UNIT_MS[unit];
  return factor === undefined ? null : Math.round(Number(amount) * factor);
}
