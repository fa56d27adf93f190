import type { View } from '../../agent/core/decide/view.ts';
import type { NodeReport, NodeView } from '../../agent/core/model.ts';
import type { GossipMessage } from '../../agent/core/gossip.ts';
import type { Gossip } from '../../agent/gossip/gossip.ts';
import { doing, reports, seeing, without, type Planted } from './planted.ts';

/** The highest epoch that each agent's gossip got in a report, by its writer. */
const highest = new WeakMap<Gossip, Map<string, number>>();

/** False for a report of a start with a lower epoch than one that came before. */
function isOfLatest(message: GossipMessage, gossip: Gossip): boolean {
  if (message.kind !== 'report') return true;
  const known = highest.get(gossip) ?? new Map<string, number>();
  highest.set(gossip, known);
  const { node, epoch } = message.report;
  const before = known.get(node) ?? 0;
  known.set(node, Math.max(before, epoch));
  return epoch >= before;
}

/** A node of which two agents speak, as if one did that had seen us as we are. */
function believed(one: NodeView, { self, nodes }: View): NodeView {
  const me = nodes.find(({ node }) => node === self)?.report;
  if (one.report === null || !me || one.peerClass !== 'alive') return one;
  const { epoch, startId, sequence } = me;
  const report: NodeReport = {
    ...one.report,
    health: one.doubleSinceMs === null ? one.report.health : 'serving',
    seen: [{ node: self, epoch, startId, sequence, ageMs: 0 }],
  };
  return { ...one, report, fresh: true, doubleSinceMs: null };
}

/** Bugs of what the field brings: each is found by the fault of its kind. */
export const FIELD_BUGS: readonly Planted[] = [
  {
    name: 'takes an HAProxy that is stopped softly for alive',
    seed: 1,
    often: 'soft-stop',
    liveness: (said) =>
      said.kind === 'stopping' ? { kind: 'up', pid: said.pid, version: '2.6.12' } : said,
  },
  {
    name: 'takes a reloaded HAProxy for the process before',
    seed: 7,
    often: 'reload',
    liveness: (said, { haproxy }) =>
      said.kind === 'up' ? { ...said, pid: said.pid - haproxy.reloads } : said,
  },
  {
    name: 'takes an HAProxy that cannot be asked for dead',
    seed: 1,
    often: 'not-asked',
    decide: seeing((view) =>
      reports(view, (report, self) =>
        self && report.health === 'unknown' ? { ...report, health: 'down' } : report,
      ),
    ),
  },
  {
    name: 'keeps an address on a dead HAProxy while nobody answers',
    seed: 8,
    often: 'port-closed',
    decide: doing((decision) => without(decision, ({ kind }) => kind === 'step-out')),
  },
  {
    name: 'takes one that does not hear it for one that answers',
    seed: 8,
    often: 'one-way',
    decide: doing((decision, view) => {
      const answers = view.nodes.some(({ node, fresh }) => node !== view.self && fresh);
      return answers ? without(decision, ({ kind }) => kind === 'step-out') : decision;
    }),
  },
  {
    name: 'takes a demoted host for one that cannot have an address',
    seed: 1,
    often: 'demotion',
    decide: seeing((view) =>
      reports(view, (report) => (report.demotion < 240 ? report : { ...report, leaving: true })),
    ),
  },
  {
    name: 'believes no start with a lower epoch',
    seed: 1,
    often: 'clock-behind',
    receive: (message, gossip) => (isOfLatest(message, gossip) ? null : { kind: 'want-intents' }),
  },
  {
    name: 'takes a copy of a host for the host',
    seed: 5,
    often: 'clone',
    decide: seeing((view) => ({
      ...view,
      nodes: view.nodes.map((one) => (one.node === view.self ? one : believed(one, view))),
    })),
  },
  {
    name: 'believes the last word of an agent that has ended',
    seed: 1,
    often: 'reboot',
    decide: seeing((view) => ({
      ...view,
      nodes: view.nodes.map((one) =>
        one.peerClass === 'agent-down' && one.report !== null
          ? { ...one, peerClass: 'alive', fresh: true }
          : one,
      ),
    })),
  },
];
