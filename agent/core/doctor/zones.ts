import type { VhidFacts } from './inspection.ts';

/**
 * A link-local address without its zone, which is the name of an interface and so local to a host
 * (RFC 4007, 11.2): fe80::1%lagg0.20 on one host is fe80::1%ix0.20 on the other.
 */
export const withoutZone = (address: string): string => address.replace(/%[^/]*/, '');

/**
 * An address as hosts may compare it over all vhids: a link-local one means nothing without its
 * network, and the same one often stands on each.
 */
export const comparable = ({ address }: Pick<VhidFacts, 'address'>, vip: string): string => {
  const bare = withoutZone(vip);
  return /^fe[89ab]/i.test(bare) ? `${bare}@${address.replace(/^[^@]*@/, '')}` : bare;
};
