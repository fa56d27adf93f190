import type {
  AddressReport,
  NodeReport,
  NodeView,
  PathReading,
} from '../../../agent/core/model.ts';
import { heard } from '../builders.ts';
import { address, NOW, report } from '../../reports.ts';

// haproxy01 is preferred (base 0), then haproxy02 (100), then haproxy03 (150).
export const A = 'haproxy01';
export const B = 'haproxy02';
export const C = 'haproxy03';

export type Change = Partial<Omit<NodeReport, 'addresses'>>;
const on =
  (node: string, baseAdvskew: number) =>
  (mine: Partial<AddressReport> = {}, change: Change = {}): NodeView =>
    heard(report(node, { ...change, addresses: [address({ baseAdvskew, ...mine })] }));
export const onA = on(A, 0);
export const onB = on(B, 100);
export const onC = on(C, 150);

export const MASTER = { state: 'MASTER' } as const;
export const DEAD: Change = {
  health: 'down',
  healthReason: 'HAProxy is down',
  healthSinceMs: NOW - 60_000,
};

/** What this node says of itself. */
export function reportOf(one: NodeView): NodeReport {
  if (one.report === null) throw new Error(`${one.node} has no report`);
  return one.report;
}

/** An echo that is answered; of a node, or of a witness for null. */
export const answers = (node: string | null, change: Partial<PathReading> = {}): PathReading => ({
  network: 'wan',
  node,
  answeredAtMs: NOW - 10,
  lostInRow: 0,
  lostSinceMs: null,
  steadySinceMs: NOW - 60_000,
  ...change,
});

/** An echo that was answered until so long ago. */
export const silent = (node: string | null, forMs = 280): PathReading =>
  answers(node, {
    answeredAtMs: NOW - forMs - 20,
    lostInRow: 5,
    lostSinceMs: NOW - forMs,
    steadySinceMs: null,
  });
