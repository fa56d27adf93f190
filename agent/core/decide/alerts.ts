import type { DecisionAlert } from './decision.ts';
import type { Memory } from './memory.ts';
import { backendsDown } from '../health.ts';
import { pinKey, wish } from '../intents.ts';
import type { NodeReport } from '../model.ts';
import { isSpent } from './candidates.ts';
import type { View } from './view.ts';
import { freshNodes } from '../peers.ts';
import { isUnheard } from './unserved.ts';
import type { Situation } from './situation.ts';

/** A clock further off than this is an alert. */
const CLOCK_OFF_MS = 60_000;

/** What an operator should know of one address although nothing is done about it. */
export function addressAlerts(at: Situation): DecisionAlert[] {
  const { mine, ownership, view, masters, nowMs } = at;
  const alert = (id: string, text: string): DecisionAlert => ({ id, subject: mine.address, text });
  const found: DecisionAlert[] = [];
  if (mine.byHand)
    found.push(alert('by-hand', `advskew 254 was set by hand on ${view.self}: left as it is`));
  if (mine.baseAdvskew === null)
    found.push(alert('no-base', `advskew is 254 and the base is not known: set base_advskew`));
  if (isSpent(ownership.candidates, view, nowMs))
    found.push(
      alert('budget', `${view.policy.maxMoves} moves for health within the window: holds here`),
    );
  const pin = wish(view.intents, pinKey(mine.address), view.wallMs);
  const chosen = ownership.owner;
  if (pin !== null && chosen?.node === pin.value && chosen.report.health === 'degraded')
    found.push(alert('pin-degraded', `pinned to ${pin.value}, which is degraded`));
  const { candidates } = ownership;
  if (masters.length === 0 && candidates.length === view.nodes.length)
    found.push(alert('no-master', 'no node is MASTER'));
  if (candidates.length > 0 && candidates.every(({ report }) => report.health === 'down'))
    found.push(
      alert(
        'all-down',
        isUnheard(view)
          ? 'HAProxy is down here and no other node is heard: left to whoever lives'
          : 'HAProxy serves on no node: nothing moves',
      ),
    );
  return found;
}

/** What an operator should know of the pair as a whole. */
export function pairAlerts(
  view: View,
  me: NodeReport,
  memory: Memory,
  nowMs: number,
): DecisionAlert[] {
  const found: DecisionAlert[] = [];
  if (view.allow === false && !view.fenceMine)
    found.push({
      id: 'not-allowed',
      subject: 'carp',
      text: 'net.inet.carp.allow is 0 and this agent did not set it: every vhid is INIT',
    });
  for (const { node, clockOffMs, peerClass } of view.nodes) {
    if (node === view.self) continue;
    if (clockOffMs !== null && Math.abs(clockOffMs) > CLOCK_OFF_MS)
      found.push({
        id: 'clock',
        subject: node,
        text: `its clock is ${Math.round(clockOffMs / 1000)} s off ours: check ntpd on both`,
      });
    if (peerClass === 'dead' || peerClass === 'frozen')
      found.push({ id: `peer-${peerClass}`, subject: node, text: PEER_TEXT[peerClass] });
  }
  for (const [node, { wrong, offUntilMs }] of memory.early)
    if (wrong && nowMs < offUntilMs)
      found.push({
        id: 'early-wrong',
        subject: node,
        text: 'it was replaced early and was not dead: left to CARP for a while',
      });
  const shared = sharedDown(view, me);
  if (shared.length > 0)
    found.push({
      id: 'backends-down',
      subject: shared.join(', '),
      text: 'down on every node: nothing moves for that',
    });
  return found;
}

const PEER_TEXT = {
  dead: 'agent and host are silent while a witness answers',
  frozen: 'its host answers and its agent does not: left to CARP',
} as const;

function sharedDown(view: View, me: NodeReport): string[] {
  const peers = freshNodes(view.nodes).flatMap(({ report }) => (report === null ? [] : [report]));
  if (peers.length < 2) return [];
  return backendsDown(me).filter((name) =>
    peers.every((report) => backendsDown(report).includes(name)),
  );
}
