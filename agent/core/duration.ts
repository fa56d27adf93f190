const UNITS = [
  { ms: 86_400_000, one: 'day', many: 'days' },
  { ms: 3_600_000, one: 'h', many: 'h' },
  { ms: 60_000, one: 'min', many: 'min' },
] as const;

/** "0.1 s", "41 s", "12 min", "3 h", "41 days": what a person compares at a glance. */
export function duration(ms: number): string {
  for (const { ms: size, one, many } of UNITS) {
    const count = Math.floor(ms / size);
    if (count >= 1) return `${count} ${count === 1 ? one : many}`;
  }
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}
