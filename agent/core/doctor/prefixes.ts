import type { Found } from './finding.ts';
import { known, type Inspection, type RcLine } from './inspection.ts';
import { linesOf, RC } from './rc-conf.ts';
import { rcName } from './rc-vhids.ts';
import { comparable, withoutZone } from './zones.ts';

interface Holder {
  readonly node: string;
  readonly interface: string;
  readonly vhid: number;
  readonly address: string;
  readonly vip: string;
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
        const [full = '', length] = prefix.split('/');
        const vip = withoutZone(full);
        const holder = { node, interface: on, vhid, address, vip, length: Number(length), rc };
        const key = comparable({ address }, vip);
        byVip.set(key, [...(byVip.get(key) ?? []), holder]);
      }
  }
  return [...byVip.values()].flatMap((holders): Found[] => {
    const vip = holders[0]?.vip ?? '';
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
            ? {
                node,
                file: RC,
                line: `in the ifconfig_${rcName(on)}_alias with vhid ${vhid}`,
                text,
              }
            : {
                node,
                file: line.file,
                line: linesOf(line),
                text: line.text.replace(`${vip}/${length}`, text),
              };
        }),
      },
    ];
  });
}
