import type { ServerReading } from '../core/answers.ts';
import { ActFailure, type NodeOutcome } from '../core/results.ts';
import { asFailure, failed, present, type Pair } from './pair.ts';

/** Servers of one backend on one node. */
export interface Found {
  readonly node: string;
  readonly backend: string;
  readonly servers: readonly ServerReading[];
  /** HAProxy has no backend of that name, and says so; null where it has. */
  readonly missing: ActFailure | null;
}

export interface Look {
  readonly found: readonly Found[];
  /** A row for each node whose agent is in touch and whose HAProxy cannot be asked. */
  readonly silent: readonly NodeOutcome[];
}

/** Asks each of these nodes for the servers of each backend. Never rejects. */
export async function look(
  pair: Pair,
  backends: readonly string[],
  nodes: readonly string[] = present(pair).map(({ node }) => node),
): Promise<Look> {
  const members = pair.members.filter(({ node }) => nodes.includes(node));
  const asked = await Promise.all(
    members.flatMap((member) =>
      [...new Set(backends)].map(async (backend): Promise<Found | NodeOutcome> => {
        const { node } = member;
        try {
          const servers = await member.findServers('', backend);
          return { node, backend, servers, missing: null };
        } catch (error) {
          const failure = asFailure(error);
          return failure.outcome === 'not-found'
            ? { node, backend, servers: [], missing: failure }
            : silentRow(node, failure);
        }
      }),
    ),
  );
  const silent = new Map(asked.flatMap((one) => ('ok' in one ? [[one.node, one] as const] : [])));
  return {
    found: asked.flatMap((one) => ('ok' in one || silent.has(one.node) ? [] : [one])),
    silent: [...silent.values()],
  };
}

/** The same; throws the first failure where no node at all can be asked. */
export async function lookFirst(pair: Pair, backends: readonly string[]): Promise<Look> {
  const looked = await look(pair, backends);
  const [first] = looked.silent;
  if (looked.found.length === 0 && first?.error)
    throw new ActFailure('failed', { ...first.error, remediation: 'service haproxy status' });
  return looked;
}

/** It has the wish on disk once that is stored, and tells its HAProxy when that is there again. */
function silentRow(node: string, failure: ActFailure): NodeOutcome {
  const row = failed(node, failure);
  if (row.error === null || row.error.remediation !== '') return row;
  const remediation = `on ${node}: service haproxy status; it catches up when HAProxy is back`;
  return { ...row, error: { ...row.error, remediation, retryable: true } };
}
