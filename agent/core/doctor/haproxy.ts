import type { Found, Remedy } from './finding.ts';
import { unchecked } from './no-check.ts';
import { known, type ConfigFacts, type Inspection, type Pairwise } from './inspection.ts';

/** HAProxy's configuration on each host, and what a reload of it would undo. */
export const haproxy = (inspections: readonly Inspection[], pair: Pairwise): Found[] => [
  ...inspections.flatMap((one) => [
    ...refused(one),
    ...level(one),
    ...unchecked(one),
    ...tables(one, [...inspections.map(({ node }) => node), ...pair.away.map(({ node }) => node)]),
    ...lowered(one, pair.wished),
    ...transaction(one),
  ]),
  ...differing(inspections),
];

const RELOAD = 'service haproxy reload';
const command = (node: string, text: string): Remedy => ({ node, file: null, line: null, text });

function refused({ node, check, config }: Inspection): Found[] {
  const result = known(check);
  if (result === null || result.ok) return [];
  const path = known(config)?.path ?? 'haproxy.conf';
  const place = result.said.map((line) => /\[([^\]:]+):(\d+)\]/.exec(line)).find(Boolean);
  return [
    {
      id: 'haproxy-config',
      about: '',
      severity: 'fail',
      address: null,
      nodes: [node],
      saw: result.said.map((line) => `${node}: ${line}`),
      why: 'HAProxy runs on with what it has, and does not come back after a restart.',
      do: [
        {
          node,
          file: place?.[1] ?? path,
          line: place?.[2] ?? null,
          text: 'mend what HAProxy names above',
        },
        command(node, result.command),
      ],
    },
  ];
}

function level({ node, level, config }: Inspection): Found[] {
  const used = known(level);
  const facts = known(config);
  const asked = facts?.sockets.find(({ path }) => path === used?.path);
  const isAdmin = used === null ? facts?.sockets.some(isAdminSocket) : used.level === 'admin';
  // In a file that was not read there may be one.
  if (isAdmin !== false || facts === null || (used === null && facts.unsure === true)) return [];
  const before = asked ?? facts.sockets[0];
  const text =
    before === undefined
      ? 'stats socket /var/run/haproxy.sock mode 660 level admin group proxyctl'
      : `${before.text.replace(/\s+level \S+/, '')} level admin`;
  return [
    {
      id: 'haproxy-socket',
      about: '',
      severity: 'fail',
      address: null,
      nodes: [node],
      saw: [
        used === null
          ? `${node}: no "stats socket PATH" of level admin in global (${facts.path})`
          : `${node}: ${used.path} has level ${used.level} (show cli sockets)`,
      ],
      why: 'The agent can neither drain servers nor swap certificates without level admin.',
      do: [
        {
          node,
          file: before?.file ?? facts.path,
          line: before === undefined ? 'in global' : String(before.line),
          text,
        },
        command(node, RELOAD),
      ],
    },
  ];
}

function tables({ node, config }: Inspection, nodes: readonly string[]): Found[] {
  const facts = known(config);
  const lost = (facts?.tables ?? []).filter(
    // In a file that was not read there may be a section of that name.
    ({ peers }) => peers === null || (!facts?.peers.includes(peers) && facts?.unsure !== true),
  );
  if (facts === null || lost.length === 0) return [];
  const [peers] = facts.peers;
  const name = peers ?? 'pair';
  const section = ['peers pair', ...[...nodes].sort().map((one) => `  peer ${one} ADDRESS:1024`)];
  return [
    {
      id: 'haproxy-stick-table',
      about: '',
      severity: 'warn',
      address: null,
      nodes: [node],
      saw: [
        `${node}: ${lost.length} stick-${lost.length === 1 ? 'table' : 'tables'} without peers: ` +
          lost.map(({ section }) => section).join(', '),
      ],
      why: 'After a failover every client may land on another server: the table starts empty.',
      do: [
        ...(peers === undefined
          ? section.map((text) => ({ node, file: facts.path, line: 'at the end', text }))
          : []),
        ...lost.map(({ line, file = facts.path, text }) => ({
          node,
          file,
          line: String(line),
          text: `${text.replace(/\s+peers \S+/, '')} peers ${name}`,
        })),
      ],
    },
  ];
}

const lowered = ({ node, lowered }: Inspection, wished: readonly string[]): Found[] =>
  (known(lowered) ?? [])
    .filter(({ backend, server }) => !wished.includes(`${backend}/${server}`))
    .map(({ backend, server, state }) => ({
      id: 'haproxy-drain',
      about: `${backend}/${server}`,
      severity: 'warn',
      address: null,
      nodes: [node],
      saw: [`${node}: ${backend}/${server} is in ${state}, and nobody asked the agents for it`],
      why: 'The next reload of HAProxy puts it back into service, on this host only.',
      do: [
        command(node, `proxyctl ${state} ${backend}/${server} --reason "..."`),
        command(node, `or, to end it:  proxyctl ready ${backend}/${server}`),
      ],
    }));

function transaction({ node, transaction, level }: Inspection): Found[] {
  const path = known(transaction);
  if (path === null) return [];
  const socket = known(level)?.path ?? '/var/run/haproxy.sock';
  return [
    {
      id: 'haproxy-transaction',
      about: path,
      severity: 'warn',
      address: null,
      nodes: [node],
      saw: [`${node}: a certificate transaction for ${path} is open (show ssl cert)`],
      why: 'HAProxy has one for all: the next renewal fails, or commits what somebody left.',
      do: [command(node, `echo "abort ssl cert ${path}" | nc -U ${socket}`)],
    },
  ];
}

function differing(inspections: readonly Inspection[]): Found[] {
  const read = inspections.flatMap(({ node, config }) => {
    const facts = known(config);
    return facts === null ? [] : [{ node, facts }];
  });
  const [first, ...others] = read;
  if (first === undefined) return [];
  return (
    others
      .filter(({ facts }) => facts.digest !== first.facts.digest)
      // Of one host all files, of the other the one of agent.toml: that is no difference.
      .filter(({ facts }) => (facts.unsure ?? false) === (first.facts.unsure ?? false))
      .map((other) => ({
        id: 'haproxy-config-differs',
        about: other.node,
        severity: 'warn',
        address: null,
        nodes: [first.node, other.node],
        saw: differences(first, other),
        why: 'After a failover clients get another configuration than the one that was tried.',
        do: [
          {
            node: other.node,
            file: other.facts.path,
            line: null,
            text: `make it as ${first.node}'s, or that one as this, then ${RELOAD}`,
          },
          command(other.node, 'proxyctl config diff'),
        ],
      }))
  );
}

interface Read {
  readonly node: string;
  readonly facts: ConfigFacts;
}

/** By the names of sections alone: lines may hold passwords. */
function differences(one: Read, other: Read): string[] {
  // Several files have a `global` each, and a file may have several `defaults`.
  const digests = ({ facts }: Read): Map<string, string> => {
    const found = new Map<string, string>();
    for (const { name, digest } of facts.sections)
      found.set(name, `${found.get(name) ?? ''} ${digest}`);
    return found;
  };
  const [ours, theirs] = [digests(one), digests(other)];
  const only = ({ node }: Read, mine: Map<string, string>, not: Map<string, string>): string[] =>
    [...mine.keys()].filter((name) => !not.has(name)).map((name) => `only on ${node}: ${name}`);
  const changed = [...ours]
    .filter(([name, digest]) => theirs.has(name) && theirs.get(name) !== digest)
    .map(([name]) => `${name} differs between ${one.node} and ${other.node}`);
  const list = [...only(one, ours, theirs), ...only(other, theirs, ours), ...changed];
  return list.length > 0 ? list : ['the same sections in another order'];
}

const isAdminSocket = ({ level }: ConfigFacts['sockets'][number]): boolean =>
  level === 'admin' || level === 'unknown';
