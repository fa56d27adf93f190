import type { Place } from './port.ts';

/** The first versions in which it is mended ("ssl/cli: can't find .crt files", changelogs). */
const MENDED: Readonly<Record<string, number>> = { '2.6': 16, '2.7': 11, '2.8': 3 };

/**
 * Why HAProxy's runtime API does not find this certificate, or null when it does: from 2.6.0 on it
 * took an ending `.crt` off the name, and put it back only with `ssl-load-extra-del-ext`.
 */
export function notFoundByName(version: string, path: string, { key }: Place): string | null {
  if (!path.endsWith('.crt') || key === path.replace(/crt$/, 'key')) return null;
  const [, line = '', patch = ''] = /^(\d+\.\d+)\.(\d+)/.exec(version) ?? [];
  const mended = MENDED[line];
  if (mended === undefined || Number(patch) >= mended) return null;
  return `HAProxy ${version} does not find names that end in .crt at runtime, ${line}.${mended} does`;
}
