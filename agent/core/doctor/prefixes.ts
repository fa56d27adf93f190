import type { Found } from './finding.ts';
import { known, type Inspection, type RcLine } from './inspection.ts';
import { RC } from './rc-conf.ts';

interface Holder {
  readonly node: string;
  readonly interface: string;
  readonly vhid: number;
  readonly address: string;
  readonly length: number;
  readonly rc: readonly RcLine[];
}

/** A virtual address that has one prefix length on one host and another elsewhere. */
export function prefixes(inspections: readonly Inspection[]): Found[] {
  const byVip = new Map<string, Holder[]>();
  for (const { node, carp } of inspections) {
    const { vhids = [], rc = [] } = known(carp) ?? {};
    for (const { interface: on, vhid, address, prefixes } of vhids)
      for (const prefix of prefixes) {
        const [vip = '', length] = prefix.split('/');
        const holder = { node, interface: on, vhid, address, length: Number(length), rc };
        byVip.set(vip, [...(byVip.get(vip) ?? []), holder]);
      }
  }
  return [...byVip].flatMap(([vip, holders]): Found[] => {
    const longest = Math.max(...holders.map(({ length }) => length));
    const shorter = holders.filter(({ length }) => length !== longest);
    if (shorter.length === 0) return [];
    return [
      {
        id: 'carp-prefix',
        about: vip,
        severity: 'warn',
        address: holders[0]?.address ?? null,
        nodes: holders.map(({ node }) => node),
        saw: holders.map(({ node, length }) => `${node}: ${vip} has prefix length ${length}`),
        why: "The address brings a route along on one host only: it can shadow the host's own.",
        do: shorter.map(({ node, interface: on, vhid, length, rc }) => {
          const line = rc.find(({ text }) => text.includes(`${vip}/${length}`));
          const text = `${vip}/${longest}`;
          return line === undefined
            ? { node, file: RC, line: `in the ifconfig_${on}_alias with vhid ${vhid}`, text }
            : {
                node,
                file: line.file,
                line: String(line.line),
                text: line.text.replace(`${vip}/${length}`, text),
              };
        }),
      },
    ];
  });
}
