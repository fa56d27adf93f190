/**
 * The certificate paths in the text of a crt-list, as HAProxy names them:
 * `crt-base` applied, SNI filters and options in brackets left out, and names
 * of a crt-store (`@store/name`) too (configuration manual, `crt-list`).
 */
export const crtListPaths = (text: string, crtBase: string): string[] =>
  text.split('\n').flatMap((line) => {
    const [path = ''] = line.trim().split(/[\s[]/);
    if (path === '' || path.startsWith('#') || path.startsWith('@')) return [];
    return [withBase(path, crtBase)];
  });

/** A `crt` argument as HAProxy opens it. */
export const withBase = (path: string, crtBase: string): string =>
  path.startsWith('/') || crtBase === '' ? path : `${crtBase}/${path}`;
