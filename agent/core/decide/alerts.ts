import { alert, type Noticed } from '../alerts/alert.ts';
import type { Memory } from './memory.ts';
import { backendsDown } from '../health.ts';
import { PAUSE_KEY, pinKey, wish } from '../intents.ts';
import type { AddressReport, NodeReport } from '../model.ts';
import { isSpent } from './candidates.ts';
import type { View } from './view.ts';
import { freshNodes } from '../peers.ts';
import { hindrances } from './standby.ts';
import { ONE_WAY_MS, PAUSED_LONG_MS } from '../timing.ts';
import { isUnheard } from './unserved.ts';
import type { Situation } from './situation.ts';

/** A clock further off than this is an alert. */
const CLOCK_OFF_MS = 60_000;

/** What an operator should know of one address although nothing is done about it. */
export function addressAlerts(at: Situation): Noticed[] {
  const { mine, ownership, view, nowMs } = at;
  const found: Noticed[] = [];
  const add = (...[id, text, remedy]: readonly [Noticed['id'], string, string]): void =>
    void found.push(alert(id, mine.address, text, remedy));
  if (mine.byHand)
    add(
      'by-hand',
      `advskew 254 was set by hand on ${view.self}: left as it is`,
      `when done, on ${view.self}: ${baseAgain(mine)}`,
    );
  if (mine.baseAdvskew === null)
    add(
      'no-base',
      'advskew is 254 and the base is not known',
      `set base_advskew of ${mine.network} in agent.toml on ${view.self}`,
    );
  if (isSpent(ownership.candidates, view, nowMs))
    add(
      'budget',
      `${view.policy.maxMoves} moves for health within the window: holds here`,
      `find what flaps: proxyctl history ${mine.address}`,
    );
  const pin = wish(view.intents, pinKey(mine.address), view.wallMs);
  const chosen = ownership.owner;
  if (pin !== null && chosen?.node === pin.value && chosen.report.health === 'degraded')
    add(
      'pin-degraded',
      `pinned to ${pin.value}, which is degraded`,
      `proxyctl failback --vhid ${mine.address} lifts the pin`,
    );
  const aloneSinceMs = at.memory.alone.get(mine.address);
  const [first, ...more] = hindrances(ownership, view);
  if (aloneSinceMs !== undefined && nowMs - aloneSinceMs >= view.policy.holdMs && first)
    add(
      'redundancy-lost',
      `nobody else could take it: ${[first, ...more].map(({ text }) => text).join(', ')}`,
      first.remedy,
    );
  const { candidates } = ownership;
  if (candidates.length > 0 && candidates.every(({ report }) => report.health === 'down'))
    add(
      'all-down',
      isUnheard(view)
        ? 'HAProxy is down here and no other node answers: left to whoever lives'
        : 'HAProxy serves on no node: nothing moves',
      'on each node: service haproxy status',
    );
  return found;
}

/** The command that ends maintenance made by hand. */
const baseAgain = ({ interface: name, vhid, baseAdvskew }: AddressReport): string =>
  `ifconfig ${name} vhid ${vhid} advskew ${baseAdvskew ?? 'BASE'}`;

/** What an operator should know of the pair as a whole. */
export function pairAlerts(view: View, me: NodeReport, memory: Memory, nowMs: number): Noticed[] {
  const found: Noticed[] = [];
  if (view.allow === false && !view.fenceMine)
    found.push(
      alert(
        'not-allowed',
        'carp',
        'net.inet.carp.allow is 0 and this agent did not set it: every vhid is INIT',
        `on ${view.self}: sysctl net.inet.carp.allow=1`,
      ),
    );
  for (const { node, clockOffMs, peerClass } of view.nodes) {
    if (node === view.self) continue;
    if (clockOffMs !== null && Math.abs(clockOffMs) > CLOCK_OFF_MS) {
      const text = `its clock is ${Math.round(clockOffMs / 1000)} s off ours`;
      found.push(alert('clock', node, text, 'on both: service ntpd status'));
    }
    if (peerClass === 'dead')
      found.push(
        alert(
          'peer-dead',
          node,
          'agent and host are silent while a witness answers',
          'see its console and its cables',
        ),
      );
    if (peerClass === 'frozen')
      found.push(
        alert(
          'peer-frozen',
          node,
          'its host answers and its agent does not: left to CARP',
          `on ${node}: service proxyagent restart`,
        ),
      );
  }
  for (const [node, { wrong, offUntilMs }] of memory.early)
    if (wrong && nowMs < offUntilMs)
      found.push(
        alert(
          'early-wrong',
          node,
          'it was replaced early and was not dead: left to CARP for a while',
          'see the network between the hosts',
        ),
      );
  found.push(...gossipAlerts(view, nowMs), ...pauseAlerts(view));
  const shared = sharedDown(view, me);
  if (shared.length > 0)
    found.push(
      alert(
        'backends-down',
        shared.join(', '),
        'down on every node: nothing moves for that',
        `proxyctl servers ${shared.length === 1 ? shared[0] : ''}`.trimEnd(),
      ),
    );
  return found;
}

/** Gossip that passes one way only, and names under which two agents go on. */
function gossipAlerts({ self, nodes }: View, nowMs: number): Noticed[] {
  const remedy = 'each host has to reach TCP port 7660 of the other: pf, routes; proxyctl doctor';
  const ways = nodes.flatMap(({ node, oneWay }): Noticed[] => {
    if (oneWay === null || nowMs - oneWay.sinceMs < ONE_WAY_MS) return [];
    const text =
      oneWay.deaf === 'it'
        ? `is heard and does not hear ${self}: gossip passes one way only`
        : `hears ${self} and is not heard here: gossip passes one way only`;
    return [alert('one-way', node, text, remedy)];
  });
  const names = new Set(
    nodes.flatMap(({ node, fresh, report, doubleSinceMs }) => [
      ...(doubleSinceMs === null ? [] : [node]),
      ...(fresh ? (report?.doubles ?? []) : []),
    ]),
  );
  return [
    ...ways,
    ...[...names]
      .sort()
      .map((node) =>
        alert(
          'same-name',
          node,
          'two agents go on under this name: nothing moves to it',
          'end the agent of the copied host, or give it a node name and a certificate of its own',
        ),
      ),
  ];
}

/** Nobody resumed: what was meant for an hour of work is forgotten easily. */
function pauseAlerts({ intents, wallMs }: View): Noticed[] {
  const pause = wish(intents, PAUSE_KEY, wallMs);
  if (pause === null || wallMs - pause.stamp.wallMs < PAUSED_LONG_MS) return [];
  const reason = pause.reason === '' ? '' : `, "${pause.reason}"`;
  const text = `paused for more than an hour by ${pause.actor}${reason}: nothing moves by itself`;
  return [alert('paused-long', 'automation', text, 'proxyctl resume')];
}

function sharedDown(view: View, me: NodeReport): string[] {
  const peers = freshNodes(view.nodes).flatMap(({ report }) => (report === null ? [] : [report]));
  if (peers.length < 2) return [];
  return backendsDown(me).filter((name) =>
    peers.every((report) => backendsDown(report).includes(name)),
  );
}
