import { addressIds } from './heard.ts';
import type { Status } from './answers.ts';

/** An IP address in the one form that `vips` and operators' words are compared in. */
function canonical(ip: string): string {
  const [plain = '', zone] = ip.toLowerCase().split('%');
  if (!plain.includes(':')) return plain;
  const url = `http://[${plain}]/`;
  const host = URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : plain;
  // A zone is local to a host: without one every fe80::1 of the vhid is meant.
  return zone === undefined ? host : `${host}%${zone}`;
}

/** Whether an address has a VIP of IPv6. */
export const carriesIpv6 = ({ vips }: { readonly vips: readonly string[] }): boolean =>
  vips.some((vip) => vip.includes(':'));

/** Whether an operator who says `name` means this address: VHID@NETWORK, its vhid, or one of its IPs. */
export function isCalled(
  {
    id,
    vhid,
    vips,
  }: { readonly id: string; readonly vhid: number; readonly vips: readonly string[] },
  name: string,
): boolean {
  if (id === name || String(vhid) === name) return true;
  if (!/[.:]/.test(name) || name.includes('@')) return false;
  const wanted = canonical(name);
  return vips
    .map(canonical)
    .some((vip) => vip === wanted || (!wanted.includes('%') && vip.startsWith(`${wanted}%`)));
}

/** The addresses of a status that are called so, by their ids. */
export const addressesCalled = (status: Pick<Status, 'nodes'>, name: string): string[] =>
  addressIds(status).filter((id) =>
    status.nodes.some(({ report }) =>
      report?.addresses.some(
        ({ address, vhid, vips }) => address === id && isCalled({ id, vhid, vips }, name),
      ),
    ),
  );
