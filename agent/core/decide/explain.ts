import type { Explanation } from '../answers.ts';
import { maintenanceKey, pinKey, wish } from '../intents.ts';
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
        unableBecause: isFit(candidate) ? '' : unfit(candidate),
        health: report.health,
        healthReason: report.healthReason,
        healthSinceMs: report.healthSinceMs,
        maintenance: isMaintained(candidate, view),
        pinned: wish(view.intents, pinKey(address), view.wallMs)?.value === node,
        ripe: isRipe(candidate, field),
        advskew: mine.baseAdvskew ?? mine.advskew,
        state: mine.state,
      };
    }),
    flips: candidates
      .flatMap((candidate) => whatIfs(view, candidate, nowMs))
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

interface WhatIf {
  readonly text: string;
  readonly view: View;
}

/** Views that differ from the present one in one input of this node. */
function whatIfs(view: View, { node, address }: Candidate, nowMs: number): WhatIf[] {
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
  const hold = `${view.policy.holdMs / 1000} s`;
  return [
    health('down', `HAProxy on ${node} goes down`),
    health('degraded', `${node} is degraded for ${hold}`),
    health('serving', `${node} serves again`),
    wished(maintenanceKey(node), 'on', `maintenance on ${node}`),
    wished(pinKey(address.address), node, `failover --to ${node}`),
    {
      text: `${node} is not heard`,
      view: {
        ...view,
        nodes: view.nodes.map((one) => (one.node === node ? { ...one, fresh: false } : one)),
      },
    },
  ];
}

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
