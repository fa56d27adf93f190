import { readFileSync } from 'node:fs';

/** Text captured from a program, kept under test/fixtures by program and version. */
export const fixture = (name: string): string =>
  // From dist/test/ to the sources, which are not compiled.
  readFileSync(new URL(`../../test/fixtures/${name}`, import.meta.url), 'utf8');
