/** What `agent/haproxy` sends around a payload, with room for a longer prefix. */
const AROUND = 'set severity-output number;set ssl cert  <<\n\n'.length;

/**
 * Why HAProxy's runtime API cannot take this bundle, or null when it can. Below 3.4 command and
 * payload share one buffer of 16384 bytes (tune.bufsize), and some sizes above it end the whole
 * process; 3.4 takes 128 KB (tune.cli.max-payload-size).
 */
export function tooLargeFor(version: string, path: string, pem: string): string | null {
  const bytes = AROUND + Buffer.byteLength(path) + Buffer.byteLength(pem);
  const limit = runtimeLimit(version);
  if (bytes <= limit) return null;
  return `${bytes} bytes with its command, HAProxy ${version} takes ${limit}`;
}

/** In bytes, below HAProxy's own limits; a version that is not understood gets the smaller one. */
function runtimeLimit(version: string): number {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) * 1000 + Number(minor) >= 3004 ? 130_000 : 16_000;
}
