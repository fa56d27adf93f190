/** One line of a crt-list. */
export interface CrtListEntry {
  /** As HAProxy names the certificate: `crt-base` applied. */
  readonly path: string;
  /** Server names it is served for; empty: those of the certificate. Patterns with `!` are left out. */
  readonly names: readonly string[];
}

/** The lines in the text of a crt-list (configuration manual, `crt-list`); options are left out. */
export const crtListEntries = (text: string, crtBase: string): CrtListEntry[] =>
  text.split('\n').flatMap((line) => {
    const [path = '', ...names] = line
      .replace(/\[[^\]]*\]/, ' ')
      .trim()
      .split(/\s+/);
    if (path === '' || path.startsWith('#')) return [];
    return [
      { path: withBase(path, crtBase), names: names.filter((name) => !name.startsWith('!')) },
    ];
  });

/** The certificate files in the text of a crt-list; names of a crt-store (`@store/name`) left out. */
export const crtListPaths = (text: string, crtBase: string): string[] =>
  crtListEntries(text, crtBase).flatMap(({ path }) => (isStoreName(path) ? [] : [path]));

/** Whether a certificate is one of a crt-store (HAProxy 3.0), named otherwise than its file. */
export const isStoreName = (path: string): boolean => path.startsWith('@');

/** A `crt` argument as HAProxy names it: a directory without its last slash. */
export const withBase = (path: string, crtBase: string): string => {
  const plain = path.replace(/(?<=.)\/+$/, '');
  return plain.startsWith('/') || isStoreName(plain) || crtBase === ''
    ? plain
    : `${crtBase}/${plain}`;
};
