import type { Pair } from './pair.ts';

/**
 * What a move's last line has to add where IPv6 neighbours were not told: that an address is read
 * as MASTER on its new host is all that its nodes see. Empty where they were, or there is no IPv6.
 */
export function untold(
  pair: Pick<Pair, 'view'>,
  moved: readonly { readonly to: string; readonly address: { readonly id: string } }[],
): string {
  const silent = pair.view().flatMap(({ node, report }) => {
    const here = report?.addresses.filter(({ address, vips }) => {
      const came = moved.some(({ to, address: { id } }) => to === node && id === address);
      return came && vips.some((vip) => vip.includes(':'));
    });
    const fails = report?.problems.some(({ subject }) => subject === 'neighbours') ?? false;
    return fails && here !== undefined && here.length > 0 ? [node] : [];
  });
  if (silent.length === 0) return '';
  return `; ${silent.join(', ')} could not tell IPv6 neighbours, which may stay on the old host`;
}
