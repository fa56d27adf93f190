/** What an administrator does where a process has too few; rc.d/proxyagent gives 4096. */
export const MORE_DESCRIPTORS = 'sysrc proxyagent_limits="-n 16384"; service proxyagent restart';

/** How deep the cause of a cause is looked for. */
const DEPTH = 5;

/**
 * The sentence for an error, or the cause of one, that says only that this process (EMFILE) or
 * this host (ENFILE) has no descriptor left: nothing follows from it about what was asked. Null
 * for every other error.
 */
export function noDescriptor(error: unknown, depth = DEPTH): string | null {
  if (!(error instanceof Error) || depth === 0) return null;
  const code = codeIn(error) ?? ('failure' in error ? codeIn(error.failure) : null);
  if (code !== null) return noneLeft(code);
  return noDescriptor(error.cause, depth - 1);
}

/** The sentence for that code. */
export const noneLeft = (code: string): string => `no file descriptor is left here (${code})`;

/** Whether an error code says so. */
export const isNoneLeft = (code: string): boolean => code === 'EMFILE' || code === 'ENFILE';

function codeIn(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('code' in value)) return null;
  return typeof value.code === 'string' && isNoneLeft(value.code) ? value.code : null;
}
