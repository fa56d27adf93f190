import type { NodeStatus } from '../core/answers.ts';
import { duration } from '../core/duration.ts';
import { isHeard } from '../core/heard.ts';
import { hostSessions, olderText } from '../core/older.ts';
import type { NodeReport } from '../core/model.ts';
import { markup, NOTHING, type Markup } from './markup.ts';
import { byWhom, word, type Picture, type Tone } from './picture.ts';

const HEALTH: Readonly<Record<string, Tone>> = { serving: 'good', down: 'bad' };
/** Younger than this a word of a node is of now, ms. */
const NOW_MS = 2000;

/** Health, HAProxy and age of what is known, a row a node. */
export function nodes({ status, nowMs, wallMs }: Picture): Markup {
  const sorted = [...status.nodes].sort((a, b) => (a.node < b.node ? -1 : 1));
  const maintained = new Map(
    status.intents.flatMap((intent) => {
      const [kind, node = ''] = intent.key.split('/');
      return kind === 'maintenance' ? [[node, intent] as const] : [];
    }),
  );
  const rows = sorted.map((node) => {
    const wish = maintained.get(node.node);
    const more =
      wish === undefined
        ? NOTHING
        : markup` ${word('warn', 'maintenance')}<span class="small">${byWhom(wish, wallMs)}</span>`;
    return markup`<tr><th scope="row">${node.node}</th><td>${heard(node)}</td>${cells(node, nowMs, more)}</tr>
`;
  });
  return markup`<table>
<caption>Each node as ${status.node} hears it</caption>
<thead><tr><th scope="col">Node</th><th scope="col">Heard</th><th scope="col">Health</th><th scope="col">HAProxy</th><th scope="col">Backends</th><th scope="col" class="number">Sessions</th><th scope="col">Agent</th></tr></thead>
<tbody>
${rows}</tbody>
</table>`;
}

function heard(node: NodeStatus): Markup {
  const { ageMs } = node;
  const age = ageMs === null ? 'never' : ageMs < NOW_MS ? 'now' : `${duration(ageMs)} ago`;
  return isHeard(node)
    ? markup`${age}`
    : markup`${word('bad', node.peerClass)} <span class="small">${age}: ${node.problem}</span>`;
}

function cells(node: NodeStatus, nowMs: number, maintenance: Markup): Markup {
  const { report } = node;
  if (report === null || !isHeard(node))
    return markup`<td>unknown${maintenance}</td><td>-</td><td>-</td><td class="number">-</td><td>-</td>`;
  const { health, healthReason } = report;
  const why = health === 'serving' ? '' : ` ${healthReason}`;
  const fenced = report.fenced ? markup` ${word('warn', 'fenced')}` : NOTHING;
  return markup`<td>${word(HEALTH[health] ?? 'warn', health)}<span class="small">${why}</span>${fenced}${maintenance}</td><td>${haproxy(report, nowMs)}</td><td>${backends(report)}</td><td class="number">${hostSessions(report)}</td><td>${report.agentVersion}, ${duration(Math.max(0, nowMs - report.agentStartedMs))}</td>`;
}

function haproxy({ haproxy: [one] }: NodeReport, nowMs: number): Markup {
  if (one === undefined) return markup`none`;
  const older = olderText(one.older);
  const notes = [one.problem, older].filter((text) => text !== '').join('; ');
  const up = `${one.version}, ${duration(Math.max(0, nowMs - one.startedMs))}`;
  const what =
    one.state === 'up' ? markup`up <span class="small">${up}</span>` : word('bad', one.state);
  return notes === '' ? what : markup`${what} <span class="small">${notes}</span>`;
}

function backends({ haproxy: all }: NodeReport): Markup {
  const list = all.flatMap((one) => (one.state === 'up' ? one.backends : []));
  const down = list.filter(({ up }) => !up);
  const named = down.slice(0, 5).map(({ name }) => name);
  const more = down.length > named.length ? ', ...' : '';
  return down.length === 0
    ? markup`${list.length} up`
    : markup`${list.length - down.length} up, ${word('bad', `${down.length} down`)} <span class="small">${named.join(', ')}${more}</span>`;
}
