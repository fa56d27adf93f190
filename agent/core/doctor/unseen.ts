import type { Found } from './finding.ts';
import { PARTS, type Inspection, type PartName } from './inspection.ts';

const WHAT: Readonly<Record<PartName, string>> = {
  carp: 'CARP',
  counters: "CARP's counters",
  pf: "pf's rules",
  config: 'haproxy.conf',
  check: 'whether HAProxy takes its configuration',
  level: 'the level of the stats socket',
  probes: 'whether local servers listen',
  certificates: 'certificate files',
  keys: "the agent's key file",
  lowered: 'drained servers',
  transaction: 'certificate transactions',
  responder: 'the ACME responder',
  witness: 'the witness',
  others: 'other automations',
};

/** Everything that could not be looked at: silence would read as "well". */
export const unseen = (inspections: readonly Inspection[]): Found[] =>
  inspections.flatMap((inspection) =>
    (Object.keys(PARTS) as PartName[]).flatMap((part): Found[] => {
      const fact = inspection[part];
      if (!('cause' in fact)) return [];
      const { node } = inspection;
      return [
        {
          id: 'not-seen',
          about: `${WHAT[part]} ${fact.cause}`,
          severity: 'unknown',
          address: null,
          nodes: [node],
          saw: [`${node}: could not look at ${WHAT[part]}: ${fact.cause}`],
          why: 'What was not looked at may be well or not.',
          do: [],
        },
      ];
    }),
  );
