import { undoDemotion, unexplained } from './demotion.ts';
import type { Found, Remedy } from './finding.ts';
import { known, type CarpFacts, type Inspection, type VhidFacts } from './inspection.ts';
import { aliasOf, aliasRemedy, rcRemedy } from './rc-conf.ts';
import { comparable, withoutZone } from './zones.ts';

/** carp(4) of each host by itself: module, base advskew, allow, demotion. */
export const hostCarp = (inspections: readonly Inspection[]): Found[] =>
  inspections.flatMap(({ node, carp }) => {
    const facts = known(carp);
    return facts === null ? [] : ofHost(node, facts);
  });

function ofHost(node: string, facts: CarpFacts): Found[] {
  const about = node;
  if (!facts.module)
    return [
      {
        id: 'carp-module',
        about,
        severity: 'fail',
        address: null,
        nodes: [node],
        saw: [`${node}: carp(4) is not loaded (kldstat -q -m carp)`],
        why: 'Without the module this host takes no address, whatever rc.conf says.',
        do: [
          { node, file: '/boot/loader.conf', line: null, text: 'carp_load="YES"' },
          { node, file: null, line: null, text: 'kldload carp && service netif restart' },
        ],
      },
    ];
  const found: Found[] = [];
  for (const one of facts.vhids)
    if (one.vips.length > 0 && (one.base ?? one.advskew) > 240)
      found.push({
        id: 'carp-advskew-base',
        about,
        severity: 'warn',
        address: one.address,
        nodes: [node],
        saw: [
          `${node}: advskew ${one.base ?? one.advskew} is the configured one of ${one.address}`,
        ],
        why: 'Over 240 counts as 240 and is what the agents lower with: no order is left.',
        do: rcRemedy(node, facts, one, 'advskew', '100'),
      });
  if (facts.allow === false && !facts.fenced)
    found.push({
      id: 'carp-allow',
      about,
      severity: 'fail',
      address: null,
      nodes: [node],
      saw: [`${node}: net.inet.carp.allow is 0, and no lease of the agent holds it`],
      why: 'Every vhid stays INIT here: this host takes nothing over.',
      do: [{ node, file: null, line: null, text: 'sysctl net.inet.carp.allow=1' }],
    });
  const down = facts.vhids.filter(({ state }) => state === 'INIT').length;
  const left = unexplained({ ...facts, inInit: down });
  if (left !== 0)
    found.push({
      id: 'carp-demotion',
      about,
      severity: 'warn',
      address: null,
      nodes: [node],
      saw: [
        `${node}: net.inet.carp.demotion is ${facts.demotion}, ${facts.demotion - left} is explained ` +
          `(${down} ${down === 1 ? 'vhid' : 'vhids'} in INIT)`,
      ],
      why: 'This host stands back for every other: a send error (pf) or a program left it. A set adds.',
      do: [
        {
          node,
          file: null,
          line: null,
          text: undoDemotion(left),
        },
      ],
    });
  return found;
}

/** What only shows when hosts are compared: preempt, advbase, advskew, addresses, vhids, MASTERs. */
export function comparedCarp(inspections: readonly Inspection[]): Found[] {
  const hosts = inspections.flatMap(({ node, carp }) => {
    const facts = known(carp);
    return facts === null || !facts.module ? [] : [{ node, facts }];
  });
  const ids = [...new Set(hosts.flatMap(({ facts }) => facts.vhids.map((one) => one.address)))];
  return [
    ...preempt(hosts),
    ...ids.sort().flatMap((id) => ofAddress(id, hosts)),
    ...otherVhids(hosts),
  ];
}

interface Host {
  readonly node: string;
  readonly facts: CarpFacts;
}
interface Holder extends Host {
  readonly one: VhidFacts;
}

function preempt(hosts: readonly Host[]): Found[] {
  const values = hosts.filter(({ facts }) => facts.preempt !== null);
  if (new Set(values.map(({ facts }) => facts.preempt)).size < 2) return [];
  return [
    {
      id: 'carp-preempt',
      about: '',
      severity: 'warn',
      address: null,
      nodes: values.map(({ node }) => node),
      saw: values.map(
        ({ node, facts }) => `${node}: net.inet.carp.preempt is ${facts.preempt ? 1 : 0}`,
      ),
      why: 'With 1 a host takes an address from a higher advskew by itself, with 0 it waits; setup writes 0.',
      do: values
        .filter(({ facts }) => facts.preempt === true)
        .flatMap(({ node }) => [
          { node, file: '/etc/sysctl.conf', line: null, text: 'net.inet.carp.preempt=0' },
          { node, file: null, line: null, text: 'sysctl net.inet.carp.preempt=0' },
        ]),
    },
  ];
}

function ofAddress(address: string, hosts: readonly Host[]): Found[] {
  const holders = hosts.flatMap(({ node, facts }): Holder[] => {
    const one = facts.vhids.find((vhid) => vhid.address === address);
    return one === undefined ? [] : [{ node, facts, one }];
  });
  // A vhid that carries nothing anywhere, as a disabled one is left behind, gives nobody anything.
  if (holders.every(({ one }) => one.vips.length === 0)) return [];
  const nodes = holders.map(({ node }) => node);
  const common = { about: '', address, nodes };
  const found: Found[] = [];
  if (differ(holders, ({ one }) => String(one.advbase))) {
    const least = Math.min(...holders.map(({ one }) => one.advbase));
    found.push({
      ...common,
      id: 'carp-advbase',
      severity: 'warn',
      saw: holders.map(({ node, one }) => `${node}: ${address} has advbase ${one.advbase}`),
      why: 'advbase weighs more than advskew: the order of the hosts is not the configured one.',
      do: holders
        .filter(({ one }) => one.advbase !== least)
        .flatMap(({ node, facts, one }) => rcRemedy(node, facts, one, 'advbase', String(least))),
    });
  }
  const bases = holders.map(({ one }) => one.base ?? one.advskew);
  const [first] = bases;
  if (holders.length > 1 && new Set(bases).size < bases.length) {
    const twin = holders.find(({ one }, at) => bases.indexOf(one.base ?? one.advskew) < at);
    found.push({
      ...common,
      id: 'carp-advskew-equal',
      severity: 'warn',
      saw: holders.map(({ node }, at) => `${node}: ${address} has advskew ${bases[at]}`),
      why: 'No host is the preferred one: who answers last yields, and it changes by chance.',
      do:
        twin === undefined
          ? []
          : rcRemedy(
              twin.node,
              twin.facts,
              twin.one,
              'advskew',
              String(Math.min(240, (first ?? 0) + 100)),
            ),
    });
  }
  if (differ(holders, ({ one }) => sorted(one.vips.map(withoutZone)).join(' ')))
    found.push({
      ...common,
      id: 'carp-addresses',
      severity: 'fail',
      saw: holders.map(
        ({ node, one }) => `${node}: ${address} carries ${sorted(one.vips).join(', ')}`,
      ),
      why: 'The list is part of what adverts are signed with: no host believes the other, both answer.',
      do: missing(holders),
    });
  found.push(...onOneOnly(address, holders, hosts));
  const masters = holders.filter(({ one }) => one.state === 'MASTER').map(({ node }) => node);
  if (masters.length > 1)
    found.push({
      about: '',
      id: 'carp-both-master',
      severity: 'fail',
      address,
      nodes: masters,
      saw: [`${masters.join(' and ')} say MASTER for ${address}`],
      why: 'Two hosts answer for one address: connections break at random.',
      do: masters.map((node) => ({
        node,
        file: null,
        line: null,
        text: 'netstat -s -p carp; pfctl -sr | grep -i carp',
      })),
    });
  return found;
}

/** A vhid that one host alone has, its addresses under no other vhid elsewhere. */
function onOneOnly(
  address: string,
  holders: readonly Holder[],
  hosts: readonly Host[],
): readonly Found[] {
  const [only] = holders;
  const others = hosts.filter(({ node }) => node !== only?.node);
  if (only === undefined || holders.length > 1 || others.length === 0) return [];
  const { one } = only;
  const vips = one.vips.map(withoutZone);
  const isElsewhere = others.some(({ facts }) =>
    facts.vhids.some((other) => other.vips.some((vip) => vips.includes(withoutZone(vip)))),
  );
  if (isElsewhere) return [];
  return [
    {
      id: 'carp-missing',
      about: '',
      severity: 'fail',
      address,
      nodes: others.map(({ node }) => node),
      saw: others.map(({ node }) => `${node}: no vhid ${one.vhid}; ${only.node} has ${address}`),
      why: 'Nobody takes the address over when that host dies.',
      do: others.flatMap(({ node, facts }) =>
        vips.map((vip) =>
          aliasRemedy(node, interfaceFor(one, facts), aliasOf({ ...one, base: 100 }, vip)),
        ),
      ),
    },
  ];
}

/** What another host calls the interface of that network, by its other vhids there; else the same name. */
function interfaceFor({ address, interface: on }: VhidFacts, { vhids }: CarpFacts): string {
  const network = (id: string): string => id.replace(/^[^@]*/, '');
  return vhids.find((one) => network(one.address) === network(address))?.interface ?? on;
}

/** The addresses another host has under the vhid and this one lacks. */
function missing(holders: readonly Holder[]): Remedy[] {
  const all = new Set(holders.flatMap(({ one }) => one.vips.map(withoutZone)));
  return holders.flatMap(({ node, one }) => {
    const own = one.vips.map(withoutZone);
    return [...all]
      .filter((vip) => !own.includes(vip))
      .map((vip) => aliasRemedy(node, one.interface, aliasOf(one, vip)));
  });
}

/** One VIP under different vhids. */
function otherVhids(hosts: readonly Host[]): Found[] {
  const byVip = new Map<string, Holder[]>();
  for (const { node, facts } of hosts)
    for (const one of facts.vhids)
      for (const vip of new Set(one.vips.map((each) => comparable(one, each))))
        byVip.set(vip, [...(byVip.get(vip) ?? []), { node, facts, one }]);
  const pairs = new Map<string, readonly Holder[]>();
  for (const holders of byVip.values())
    if (differ(holders, ({ one }) => String(one.vhid)))
      pairs.set(holders.map(({ node, one }) => `${node}/${one.vhid}`).join(), holders);
  return [...pairs.values()].map((holders) => {
    const [first, ...rest] = holders;
    const vhid = first?.one.vhid ?? 0;
    return {
      id: 'carp-vhid',
      about: String(vhid),
      severity: 'fail',
      address: first?.one.address ?? null,
      nodes: holders.map(({ node }) => node),
      saw: holders.map(({ node, one }) => `${node}: ${one.vips.join(', ')} under vhid ${one.vhid}`),
      why: 'Each host only hears adverts of its own vhid: both take the address.',
      do: rest
        .filter(({ one }) => one.vhid !== vhid)
        .flatMap(({ node, facts, one }) => rcRemedy(node, facts, one, 'vhid', String(vhid))),
    };
  });
}

const differ = (holders: readonly Holder[], of: (holder: Holder) => string): boolean =>
  new Set(holders.map(of)).size > 1;
const sorted = (list: readonly string[]): string[] => [...list].sort();
