/** HOST:PORT or [HOST]:PORT taken apart; null where it has another form. */
export function splitAddress(
  address: string,
): { readonly host: string; readonly port: number } | null {
  const [, v6, v4, port = ''] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(address) ?? [];
  const host = v6 ?? v4;
  return host === undefined || Number(port) > 65_535 ? null : { host, port: Number(port) };
}
