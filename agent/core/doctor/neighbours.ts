import type { Found } from './finding.ts';
import { known, type Inspection } from './inspection.ts';

/** IPv6 neighbours that would stay where an address was, as far as the hosts see it. */
export const neighbours = (inspections: readonly Inspection[]): Found[] =>
  inspections.flatMap((one) => [...untold(one), ...physical(one)]);

function untold({ node, neighbours: fact }: Inspection): Found[] {
  const cause = known(fact)?.untold ?? null;
  if (cause === null) return [];
  return [
    {
      id: 'nd-untold',
      about: node,
      severity: 'warn',
      address: null,
      nodes: [node],
      saw: [`${node}: ${cause}`],
      why: 'A router that has a physical MAC for an address stays on the old host after a move.',
      do: [
        { node, file: null, line: null, text: 'kldload ng_ether ng_socket' },
        { node, file: '/boot/loader.conf', line: null, text: 'ng_ether_load="YES"' },
      ],
    },
  ];
}

function physical({ node, neighbours: fact }: Inspection): Found[] {
  return (known(fact)?.entries ?? []).flatMap(({ address, vhid, vip, mac }): Found[] => {
    const virtual = `00:00:5e:00:01:${vhid.toString(16).padStart(2, '0')}`;
    if (mac === virtual) return [];
    return [
      {
        id: 'nd-physical-mac',
        about: vip,
        severity: 'warn',
        address,
        nodes: [node],
        saw: [`${node}: ${vip} has MAC ${mac} and not ${virtual} (ndp -an)`],
        why: 'What has a physical MAC for an address stays on that host when the address moves.',
        do: [{ node, file: null, line: null, text: `ndp -d ${vip}` }],
      },
    ];
  });
}
