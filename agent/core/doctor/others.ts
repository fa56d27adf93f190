import type { Found } from './finding.ts';
import { known, type Inspection } from './inspection.ts';

const WHY: Readonly<Record<string, string>> = {
  devd: 'A script that acts on CARP events works against the agents, or twice.',
  ifstated: 'ifstated(8) moves addresses by its own rules: two automations, one address.',
  pfsync: 'pfsync(4) demotes this host while it copies states: that moves every address.',
};

/** Others on the host that act on CARP. */
export const others = (inspections: readonly Inspection[]): Found[] =>
  inspections.flatMap(({ node, others }) =>
    (known(others) ?? []).map(({ what, file, line, text }) => ({
      id: `other-${what}`,
      about: '',
      severity: 'warn',
      address: null,
      nodes: [node],
      saw: [`${node}: ${file}:${line}: ${text}`],
      why: WHY[what] ?? 'It acts on CARP beside the agents.',
      do: [
        {
          node,
          file,
          line: String(line),
          text: what === 'devd' ? 'take out the block this line stands in' : `# ${text}`,
        },
      ],
    })),
  );
