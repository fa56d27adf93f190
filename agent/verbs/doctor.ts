import type { Alert } from '../core/answers.ts';
import { alerted } from '../core/doctor/alerted.ts';
import { diagnose } from '../core/doctor/diagnose.ts';
import { merged, type DoctorAnswer, type DoctorAsk } from '../core/doctor/finding.ts';
import { stateFileNotes } from '../core/doctor/state-files.ts';
import type { Inspection } from '../core/doctor/inspection.ts';
import { inForce, parseServerKey } from '../core/intents.ts';
import type { Member } from '../core/member.ts';
import type { OlderReport } from '../core/model.ts';
import { lookRemedy, olderText } from '../core/older.ts';
import { addressesOf } from './addresses.ts';
import { requireNode, whyOf, type Pair } from './pair.ts';

/**
 * `doctor`: every node looks at itself, then what they found is judged
 * together; what `status` alerts of besides is named too. Changes nothing. Throws ActFailure for an address or a node nobody
 * has; a node that does not answer is a finding.
 */
export async function doctor(
  pair: Pair,
  { addresses, nodes }: DoctorAsk,
  alarmDays: number,
  alerts: () => readonly Alert[],
): Promise<DoctorAnswer> {
  const ids = addresses.length === 0 ? [] : addressesOf(pair, addresses).map(({ id }) => id);
  for (const name of nodes) requireNode(pair, name, 'name one of them with --node');
  const looked = await Promise.all(pair.members.map(inspected));
  const older = olderOf(pair);
  const seen = looked.flatMap((one) => ('inspection' in one ? [one.inspection] : []));
  const found = diagnose(seen, {
    asked: pair.node,
    away: looked.flatMap((one) => ('why' in one ? [one] : [])),
    clocks: pair
      .view()
      .flatMap(({ node, clockOffMs, fresh }) =>
        clockOffMs === null || !fresh ? [] : [{ node, offMs: clockOffMs }],
      ),
    uncounted: older.flatMap(({ node, problem }) =>
      problem === '' ? [] : [{ node, cause: problem, remedy: lookRemedy(problem) }],
    ),
    wished: wished(pair),
    alarmDays,
  });
  // Each of the findings is one already.
  const apart = found.map((one, at) => ({ ...one, about: String(at) }));
  const isAsked = (node: string): boolean => nodes.length === 0 || nodes.includes(node);
  const findings = merged([...apart, ...alerted(alerts(), found)]);
  return {
    node: pair.node,
    findings: findings.filter(
      (one) =>
        (ids.length === 0 || (one.address !== null && ids.includes(one.address))) &&
        (nodes.length === 0 || one.nodes.some(isAsked)),
    ),
    nodes: looked.map((one) => ({ node: one.node, problem: 'why' in one ? one.why : '' })),
    // What is asked of one address alone is about no process.
    notes:
      ids.length === 0
        ? [
            ...older.filter(({ node }) => isAsked(node)).flatMap(note),
            ...seen.filter(({ node }) => isAsked(node)).flatMap(stateFileNotes),
          ]
        : [],
  };
}

type Looked =
  | { readonly node: string; readonly inspection: Inspection }
  | { readonly node: string; readonly why: string };

async function inspected(member: Member): Promise<Looked> {
  try {
    return { node: member.node, inspection: await member.inspect() };
  } catch (error) {
    return { node: member.node, why: whyOf(error) };
  }
}

/** What the nodes in touch say of older HAProxy processes. */
const olderOf = (pair: Pair): (OlderReport & { readonly node: string })[] =>
  pair
    .view()
    .filter(({ fresh }) => fresh)
    .flatMap(({ node, report }) =>
      (report?.haproxy ?? []).map(({ older }) => ({ ...older, node })),
    );

/** Processes that reloads have left: no fault, for they end with their sessions. */
function note(older: ReturnType<typeof olderOf>[number]): string[] {
  const text = olderText(older);
  if (text === '') return [];
  return [`${older.node}: ${text} (left by a reload; hard-stop-after limits that)`];
}

const wished = (pair: Pair): string[] =>
  [...pair.intents().values()]
    .filter((intent) => inForce(intent, pair.clock.wallMs()))
    .flatMap(({ key }) => {
      const target = parseServerKey(key);
      return target === null ? [] : [`${target.backend}/${target.server}`];
    });
