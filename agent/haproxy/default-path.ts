import { join } from 'node:path';

/**
 * The file behind a name of the configuration, `directory` being its `default-path`; null where it
 * depends on the directory that HAProxy was started in.
 */
export function inDefaultPath(name: string, directory: string | null): string | null {
  if (name.startsWith('/')) return name;
  return directory === null ? null : join(directory, name);
}
