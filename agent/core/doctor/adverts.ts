import type { Found, Remedy } from './finding.ts';
import { known, type CarpFacts, type Inspection, type PfFacts } from './inspection.ts';
import { inEachAlias } from './rc-conf.ts';

type Family = 'v4' | 'v6';

/** Fewer may be chance: the window can begin right after an advert. */
const ENOUGH = 2;

/** Whether adverts that one host sends arrive and are believed at the others; pf's part in it. */
export function adverts(inspections: readonly Inspection[]): Found[] {
  const lost = inspections.flatMap((to) => inspections.flatMap((from) => lostBetween(from, to)));
  return [
    ...lost,
    ...inspections.flatMap(badAuth),
    ...inspections.flatMap(fencedAndHeard),
    ...inspections.flatMap((one) =>
      lost.some(({ nodes }) => nodes.includes(one.node)) ? [] : droppedByPf(one, inspections),
    ),
  ];
}

function lostBetween(from: Inspection, to: Inspection): Found[] {
  const [sent, heard] = [known(from.counters), known(to.counters)];
  const [theirs, ours] = [known(from.carp), known(to.carp)];
  if (from.node === to.node || sent === null || heard === null) return [];
  const both = (theirs?.vhids ?? []).filter(
    (one) =>
      one.state === 'MASTER' &&
      ours?.vhids.some(({ address, state }) => address === one.address && state !== 'INIT'),
  );
  const [first] = both;
  if (first === undefined) return [];
  const families = (['v4', 'v6'] as const).filter(
    (family) => sent.sent[family] >= ENOUGH && heard.received[family] === 0,
  );
  if (families.length === 0) return [];
  const pf = known(to.pf);
  const rules = pf === null ? [] : drops(pf, families);
  return [
    {
      id: 'carp-adverts-lost',
      about: '',
      severity: 'fail',
      address: first.address,
      nodes: [to.node],
      saw: [
        ...families.map(
          (family) =>
            `${from.node} sent ${sent.sent[family]} CARP adverts over ${NAMES[family]} in ` +
            `${seconds(sent.ms)} s, ${to.node} received 0`,
        ),
        ...rules.map((one) => pfSaw(to.node, one)),
      ],
      why: 'A BACKUP that hears nothing takes the address after 3 to 4 s: both answer.',
      do:
        rules.length > 0
          ? pfRemedy(to.node, [...new Set(rules.map((one) => one.interface))])
          : [
              {
                node: to.node,
                file: null,
                line: null,
                text: `tcpdump -npi ${first.interface} -T carp proto 112`,
              },
            ],
    },
  ];
}

const NAMES: Readonly<Record<Family, string>> = { v4: 'IPv4', v6: 'IPv6' };
const seconds = (ms: number): number => Math.round(ms / 100) / 10;

type Verdict = PfFacts['adverts'][number];

const drops = ({ enabled, adverts }: PfFacts, families: readonly Family[]): Verdict[] =>
  enabled
    ? adverts.filter(
        ({ passes, direction, family }) =>
          !passes && direction === 'in' && families.includes(family === 'inet' ? 'v4' : 'v6'),
      )
    : [];

const pfSaw = (node: string, { interface: on, family, direction, rule }: Verdict): string =>
  `${node}: pf drops proto carp ${direction} on ${on}, ${family}` +
  (rule === null ? '' : `: ${rule} (pfctl -sr)`);

const pfRemedy = (node: string, interfaces: readonly string[]): Remedy[] => [
  ...interfaces.map((on) => ({
    node,
    file: '/etc/pf.conf',
    line: 'before the first `block` with quick',
    text: `pass quick on ${on} proto carp keep state (no-sync)`,
  })),
  { node, file: null, line: null, text: 'pfctl -nf /etc/pf.conf && pfctl -f /etc/pf.conf' },
];

/** What the rules say, unless counters of the same run say that adverts get through. */
function droppedByPf({ node, pf, counters }: Inspection, all: readonly Inspection[]): Found[] {
  const facts = known(pf);
  const others = all.filter((other) => other.node !== node).map((other) => other.counters);
  const arrives = (family: 'inet' | 'inet6', at: readonly Inspection['counters'][]): boolean =>
    at.some((fact) => (known(fact)?.received[family === 'inet' ? 'v4' : 'v6'] ?? 0) > 0);
  const dropped =
    facts?.enabled === true
      ? facts.adverts.filter(
          ({ passes, family, direction }) =>
            !passes && !arrives(family, direction === 'in' ? [counters] : others),
        )
      : [];
  if (dropped.length === 0) return [];
  return [
    {
      id: 'pf-drops-carp',
      about: node,
      severity: 'fail',
      address: null,
      nodes: [node],
      saw: dropped.map((one) => pfSaw(node, one)),
      why: 'Adverts that pf drops are not heard: both hosts take the address.',
      do: pfRemedy(node, [...new Set(dropped.map((one) => one.interface))]),
    },
  ];
}

function badAuth({ node, counters, carp }: Inspection): Found[] {
  const growth = known(counters);
  if (growth === null || growth.badAuth === 0) return [];
  const saw =
    `${node}: ${growth.badAuth} adverts in ${seconds(growth.ms)} s discarded for bad ` +
    'authentication (netstat -s -p carp)';
  return [notAuthentic(node, known(carp), 'fail', saw)];
}

/** A fence is tried without as soon as adverts arrive: one that stays although they do was tried in vain. */
function fencedAndHeard({ node, counters, carp }: Inspection): Found[] {
  const [growth, facts] = [known(counters), known(carp)];
  if (growth === null || facts === null || !facts.fenced) return [];
  const vips = facts.vhids.flatMap((one) => one.vips);
  const used = (['v4', 'v6'] as const).filter((family) =>
    vips.some((vip) => vip.includes(':') === (family === 'v6')),
  );
  if (used.length === 0 || used.some((family) => growth.received[family] < ENOUGH)) return [];
  const count = growth.received.v4 + growth.received.v6;
  const saw =
    `${node}: fenced, and ${count} adverts arrived in ${seconds(growth.ms)} s; whether they ` +
    'are authentic is not counted while net.inet.carp.allow is 0';
  return [notAuthentic(node, facts, 'warn', saw)];
}

function notAuthentic(
  node: string,
  facts: CarpFacts | null,
  severity: 'fail' | 'warn',
  saw: string,
): Found {
  const [vhid] = facts?.vhids ?? [];
  return {
    id: 'carp-authentication',
    about: '',
    severity,
    address: vhid?.address ?? null,
    nodes: [node],
    saw: [saw],
    why:
      'The password or the list of addresses differs, or a kernel kept the end of a longer old ' +
      'password, which ifconfig -k does not show: both take the address.',
    do: [
      {
        node,
        file: '/etc/rc.conf',
        line: inEachAlias(vhid?.interface ?? 'IF', vhid?.vhid ?? 'N'),
        text: 'pass PASSWORD, the same on every host: 19 characters overwrite all of an older one',
      },
      {
        node,
        file: null,
        line: null,
        text: `ifconfig ${vhid?.interface ?? 'IF'} vhid ${vhid?.vhid ?? 'N'} pass PASSWORD`,
      },
    ],
  };
}
