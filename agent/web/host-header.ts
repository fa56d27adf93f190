import { isIP } from 'node:net';

/**
 * Whether a browser that sends this Host header was asked for this page by its user. A name of
 * somebody else that leads here (DNS rebinding) makes the page one of his own origin, which his
 * scripts may read. Nobody else can give a meaning to an address or to localhost, and what is no
 * browser may send none at all.
 */
export function isOwnHost(header: string, names: readonly string[]): boolean {
  if (header === '') return true;
  const [, v6, name = ''] = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::\d*)?$/.exec(header) ?? [];
  if (v6 !== undefined) return isIP(v6) === 6;
  const host = name.toLowerCase().replace(/\.$/, '');
  return (
    isIP(host) === 4 ||
    /^(?:.+\.)?localhost$/.test(host) ||
    names.some((one) => one.toLowerCase() === host)
  );
}
