import type { Explanation } from '../answers.ts';
import { maintenanceKey, PAUSE_KEY, pinKey, wish } from '../intents.ts';
import type { Health, Intent, NodeReport } from '../model.ts';
import { isFit, isMaintained, unfit, type Candidate } from './candidates.ts';
import { owner } from './owner.ts';
import { isRipe } from './places.ts';
import type { View } from './view.ts';

/** What decides where an address belongs, and which single input would change that. */
export function explainAddress(view: View, address: string, nowMs: number): Explanation {
  const verdict = owner(address, view, nowMs);
  const { candidates } = verdict;
  const named = verdict.owner?.node ?? null;
  const field = { candidates, view, nowMs };
  return {
    address,
    owner: named,
    because: verdict.place?.name ?? 'only',
    standings: candidates.map((candidate) => {
      const { node, report, address: mine } = candidate;
      return {
        node,
        unableBecause: unable(candidate),
        health: report.health,
        healthReason: report.healthReason,
        healthSinceMs: report.healthSinceMs,
        maintenance: isMaintained(candidate, view),
        pinned: wish(view.intents, pinKey(address), view.wallMs)?.value === node,
        ripe: candidate.isMaster || (report.health !== 'down' && isRipe(candidate, field)),
        advskew: mine.baseAdvskew ?? mine.advskew,
        state: mine.state,
      };
    }),
    flips: [
      ...withoutWishes(view, address),
      ...candidates.flatMap((candidate) => whatIfs(view, candidate, nowMs)),
    ]
      .map(({ text, view: other }) => ({
        text,
        owner: owner(address, other, nowMs).owner?.node ?? null,
      }))
      .filter((flip) => flip.owner !== named),
    absent: view.nodes
      .filter(({ node }) => !candidates.some((one) => one.node === node))
      .map(({ node, peerClass, fresh }) => `${node} is ${fresh ? 'without it' : peerClass}`),
  };
}

/** Why it could not serve clients that come by the address; empty: it could. */
function unable(candidate: Candidate): string {
  if (!isFit(candidate)) return unfit(candidate);
  const { health, healthReason } = candidate.report;
  return health === 'down' ? healthReason : '';
}

interface WhatIf {
  readonly text: string;
  readonly view: View;
}

/**
 * Views that differ from the present one in one input of this node. What a verb would refuse is
 * none: nobody can ask for a node whose HAProxy is down, or take the last other one out.
 */
function whatIfs(view: View, { node, address, report: now }: Candidate, nowMs: number): WhatIf[] {
  const health = (to: Health, text: string): WhatIf => ({
    text,
    view: withReport(view, node, (report) => ({
      ...report,
      health: to,
      healthSinceMs: nowMs - view.policy.holdMs,
    })),
  });
  const wished = (key: string, value: string, text: string): WhatIf => ({
    text,
    view: { ...view, intents: new Map([...view.intents, [key, wishOf(key, value)]]) },
  });
  const alive = now.health !== 'down';
  const maintained = wish(view.intents, maintenanceKey(node), view.wallMs) !== null;
  const replaced = view.nodes.some(
    (one) => one.node !== node && one.fresh && one.report !== null && one.report.health !== 'down',
  );
  const hold = `${view.policy.holdMs / 1000} s`;
  return [
    ...(alive ? [health('down', `HAProxy on ${node} goes down`)] : []),
    ...(alive ? [health('degraded', `${node} is degraded for ${hold}`)] : []),
    ...(now.health === 'serving' ? [] : [health('serving', `${node} serves again`)]),
    ...(maintained
      ? [lifted(view, maintenanceKey(node), `maintenance off ${node}`)]
      : replaced
        ? [wished(maintenanceKey(node), 'on', `maintenance on ${node}`)]
        : []),
    ...(alive && !maintained
      ? [wished(pinKey(address.address), node, `failover --to ${node}`)]
      : []),
    {
      text: `${node} is not heard`,
      view: {
        ...view,
        nodes: view.nodes.map((one) => (one.node === node ? { ...one, fresh: false } : one)),
      },
    },
  ];
}

/** Views without what was said for the whole pair or of the address. */
function withoutWishes(view: View, address: string): WhatIf[] {
  const said = (key: string): boolean => wish(view.intents, key, view.wallMs) !== null;
  return [
    ...(said(PAUSE_KEY) ? [lifted(view, PAUSE_KEY, 'resume')] : []),
    ...(said(pinKey(address)) ? [lifted(view, pinKey(address), 'failback')] : []),
  ];
}

const lifted = (view: View, key: string, text: string): WhatIf => ({
  text,
  view: { ...view, intents: new Map([...view.intents].filter(([one]) => one !== key)) },
});

const withReport = (
  view: View,
  node: string,
  change: (report: NodeReport) => NodeReport,
): View => ({
  ...view,
  nodes: view.nodes.map((one) =>
    one.node === node && one.report !== null ? { ...one, report: change(one.report) } : one,
  ),
});

const wishOf = (key: string, value: string): Intent => ({
  key,
  value,
  deleted: false,
  stamp: { wallMs: 0, count: 0, node: '' },
  actor: '',
  reason: '',
  requestId: '',
  untilWallMs: null,
});
