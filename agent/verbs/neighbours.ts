import { carriesIpv6 } from '../core/addresses.ts';
import type { Pair } from './pair.ts';

/**
 * What a move's last line has to add of IPv6 addresses: that one is read as MASTER on its new host,
 * and that its neighbours are told, is all that nodes see of it. Whether a neighbour follows none of
 * them can try, since each has the address itself. Empty where there is no IPv6.
 */
export function ofNeighbours(
  pair: Pick<Pair, 'view'>,
  moved: readonly { readonly to: string; readonly address: { readonly id: string } }[],
): string {
  const arrived = pair.view().filter(({ node, report }) =>
    report?.addresses.some((one) => {
      const came = moved.some(({ to, address: { id } }) => to === node && id === one.address);
      return came && carriesIpv6(one);
    }),
  );
  if (arrived.length === 0) return '';
  const silent = arrived.filter(({ report }) =>
    report?.problems.some(({ subject }) => subject === 'neighbours'),
  );
  const names = silent.map(({ node }) => node).join(', ');
  return names === ''
    ? '; IPv6 neighbours are told, which no node can see follow'
    : `; ${names} could not tell IPv6 neighbours, which may stay on the old host`;
}
