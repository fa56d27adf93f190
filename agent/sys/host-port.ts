import { isIP } from 'node:net';

/** HOST and port of "10.1.60.201:7660" or "[fe80::2%vtnet0]:7660"; null for anything else. */
export function hostPort(text: string): { readonly host: string; readonly port: number } | null {
  const [, v6, v4, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  const host = v6 ?? v4 ?? '';
  const literal = isIP(host.replace(/%[\w.]+$/, ''));
  if (literal !== (v6 === undefined ? 4 : 6) || port < 1 || port > 65_535) return null;
  return { host, port };
}
