import type { Found, Remedy } from './finding.ts';
import { isDown } from './running.ts';
import { PARTS, type Inspection, type PartName } from './inspection.ts';

const WHAT: Readonly<Record<PartName, string>> = {
  carp: 'CARP',
  counters: "CARP's counters",
  pf: "pf's rules",
  neighbours: 'IPv6 neighbours',
  config: 'haproxy.conf',
  check: 'whether HAProxy takes its configuration',
  running: 'whether HAProxy answers',
  level: 'the level of the stats socket',
  probes: 'whether local servers listen',
  certificates: 'certificate files',
  keys: "the agent's key file",
  lowered: 'drained servers',
  stateFiles: "HAProxy's state file",
  transaction: 'certificate transactions',
  responder: 'the ACME responder',
  witness: 'the witness',
  others: 'other automations',
};

/** What HAProxy is asked for. */
const ASKED: ReadonlySet<PartName> = new Set(['level', 'lowered', 'transaction']);

/** Everything that could not be looked at, by cause: silence would read as "well". */
export const unseen = (inspections: readonly Inspection[]): Found[] =>
  inspections.flatMap((inspection) => {
    const { node } = inspection;
    const byCause = new Map<string, string[]>();
    for (const part of Object.keys(PARTS) as PartName[]) {
      const fact = inspection[part];
      if (!('cause' in fact) || (isDown(inspection) && ASKED.has(part))) continue;
      byCause.set(fact.cause, [...(byCause.get(fact.cause) ?? []), WHAT[part]]);
    }
    return [...byCause].map(([cause, parts]) => ({
      id: 'not-seen',
      about: `${parts.join()} ${cause}`,
      severity: 'unknown' as const,
      address: null,
      nodes: [node],
      saw: [`${node}: could not look at ${listed(parts)}: ${cause}`],
      why: 'What was not looked at may be well or not.',
      do: remedies(node, cause),
    }));
  });

const listed = (parts: readonly string[]): string =>
  parts.length < 2
    ? parts.join('')
    : `${parts.slice(0, -1).join(', ')} and ${parts[parts.length - 1]}`;

/** Where the system says of one file that this agent may not read it (as Node words it), or that nobody answers. */
function remedies(node: string, cause: string): Remedy[] {
  const command = (text: string): Remedy[] => [{ node, file: null, line: null, text }];
  const [, path] = /^EACCES: permission denied, (?:open|scandir|stat) '([^']+)'$/.exec(cause) ?? [];
  if (path !== undefined) return command(`chgrp proxyctl ${path} && chmod g+r ${path}`);
  return [];
}
