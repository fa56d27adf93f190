import type { DrillRecord } from '../../../agent/core/drill.ts';
import { drillResult } from '../../../ctl/json/drill.ts';
import type { DrillReport } from '../../../ctl/drill/report.ts';
import { emptyResult } from '../../rpc/world.ts';
import { intentOf } from '../statuses.ts';

/** The last one, as it is kept. */
export const DRILL: DrillRecord = {
  kind: 'failover',
  state: 'running',
  node: 'haproxy01',
  by: 'haproxy01',
  means: null,
  startedWallMs: 0,
  endedWallMs: null,
  deadlineWallMs: 0,
  maxOutageMs: 500,
  darkMs: null,
  sent: null,
  lost: null,
  why: '',
  homes: {},
};

const moved = {
  address: '1@wan',
  vhid: 1,
  vips: ['10.1.60.200'],
  from: '',
  to: 'haproxy02',
  outcome: 'moved' as const,
  darkMsMax: null,
  sessions: null,
  pin: intentOf({ key: 'pin/1@wan', value: 'haproxy02' }),
};

const { kind, node, means, maxOutageMs } = DRILL;
const header = { requestId: 'r', actor: 'anna', reason: '', acceptRisks: [], dryRun: false };
const change = { address: '1@wan', from: null, to: node, cause: 'agent', reason: 'r' } as const;
const report: DrillReport = {
  act: {
    header: { ...header, timeoutMs: null, seen: null },
    kind,
    node,
    means,
    stayMs: 2000,
    maxOutageMs,
  },
  plan: { node, means, probes: [] },
  state: 'passed' as const,
  startedWallMs: 0,
  tookMs: 1,
  clients: {
    targets: ['10.1.60.200:443'],
    sent: 2,
    lost: 1,
    darkMs: 20,
    gaps: [{ target: '10.1.60.200:443', atMs: 0, ms: 20 }],
  },
  steps: [{ step: 'begun', text: 't', atMs: 1 }],
  result: {
    ...emptyResult,
    addresses: [moved, { ...moved, sessions: 3, darkMsMax: 2, pin: null }],
  },
  history: [{ ...change, atWallMs: 0 }],
};
/** One with a record of moves, and one without. */
export const DRILLS = [report, { ...report, history: null }].map(drillResult);
