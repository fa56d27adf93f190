import type { Found } from './finding.ts';
import { known, type Inspection, type Pairwise } from './inspection.ts';

/** As status alerts of it, ms. */
const CLOCK_MS = 5000;

/** The agents among themselves: clocks, releases, witness; nodes that did not answer. */
export const pairwise = (inspections: readonly Inspection[], pair: Pairwise): Found[] => [
  ...pair.away.map(({ node, why }) => ({
    id: 'peer-away',
    about: node,
    severity: 'unknown' as const,
    address: null,
    nodes: [node],
    saw: [`${node}: ${why}`],
    why: 'Nothing on that host was looked at, and nothing across the hosts.',
    do: [{ node, file: null, line: null, text: 'service proxyagent status' }],
  })),
  ...pair.clocks
    .filter(({ offMs }) => Math.abs(offMs) >= CLOCK_MS)
    .map(({ node, offMs }) => ({
      id: 'clock',
      about: node,
      severity: 'warn' as const,
      address: null,
      nodes: [pair.asked, node],
      saw: [
        `${node}'s clock is ${Math.round(Math.abs(offMs) / 1000)} s ` +
          `${offMs > 0 ? 'ahead of' : 'behind'} ${pair.asked}'s`,
      ],
      why: 'Of two wishes the one stamped later wins; --until ends, and TLS checks, by the clock.',
      do: [
        { node, file: '/etc/rc.conf', line: null, text: 'ntpd_enable="YES"' },
        { node, file: null, line: null, text: 'service ntpd start; ntpq -p' },
      ],
    })),
  ...versions(inspections),
  ...inspections.flatMap(witness),
];

function versions(inspections: readonly Inspection[]): Found[] {
  const versions = new Set(inspections.map(({ agentVersion }) => agentVersion));
  if (versions.size < 2) return [];
  return [
    {
      id: 'agent-version',
      about: '',
      severity: 'warn',
      address: null,
      nodes: inspections.map(({ node }) => node),
      saw: inspections.map(({ node, agentVersion }) => `${node}: proxyagent ${agentVersion}`),
      why: 'They understand each other one release apart; a rule that changed holds on one side only.',
      do: inspections.map(({ node }) => ({
        node,
        file: null,
        line: null,
        text: 'pkg upgrade proxyctl && service proxyagent restart',
      })),
    },
  ];
}

function witness({ node, witness }: Inspection): Found[] {
  const facts = known(witness);
  if (facts === null || facts.answered > 0) return [];
  const none = facts.known === 0;
  return [
    {
      id: none ? 'witness-missing' : 'witness-silent',
      about: '',
      severity: 'warn',
      address: null,
      nodes: [node],
      saw: [
        none
          ? `${node}: policy.witness is empty, and no default gateway was found`
          : `${node}: no witness has answered an echo since the agent started`,
      ],
      why: 'A host that hears nobody cannot tell a dead peer from its own dead cable.',
      do: [
        {
          node,
          file: '/usr/local/etc/proxyctl/agent.toml',
          line: 'in [policy]',
          text: 'witness = ["an address on that network that always answers ping"]',
        },
      ],
    },
  ];
}
