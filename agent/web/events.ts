import { duration } from '../core/duration.ts';
import { eventsOf } from '../core/events/event-lines.ts';
import type { PairEvent } from '../core/events/events.ts';
import { markup, type Markup } from './markup.ts';
import { moment, word, type Picture } from './picture.ts';

/** So many of the last events are shown. */
export const MOST_EVENTS = 30;

/** What happened last, from the records of all nodes, the newest first. */
export function events({ events: answer }: Pick<Picture, 'events'>): Markup {
  if (answer === null)
    return markup`<p>The records are being asked for; look again in a moment.</p>`;
  const read = eventsOf(answer);
  const silent = answer.nodes.filter(({ problem }) => problem !== '');
  const table =
    read.length === 0
      ? markup`<p>Nothing is on record.</p>`
      : markup`<table>
<caption>The last ${MOST_EVENTS} events at most, the newest first</caption>
<thead><tr><th scope="col">Time</th><th scope="col">Node</th><th scope="col">Kind</th><th scope="col">What happened</th></tr></thead>
<tbody>
${read.slice(-MOST_EVENTS).reverse().map(row)}</tbody>
</table>`;
  return markup`${table}
${silent.map(
  ({ node, problem }) => markup`<p class="note">${word('warn', 'unknown')} ${node}: ${problem}</p>
`,
)}`;
}

function row(event: PairEvent): Markup {
  const { time, node, kind, severity, subject, alert, text, lastedMs, actor, reason } = event;
  const about = alert === undefined ? '' : `${alert} ${subject}: `;
  const lasted = lastedMs === undefined ? '' : `, after ${duration(lastedMs)}`;
  const who = actor === undefined || text.includes(actor) ? '' : `, by ${actor}`;
  const why = reason === undefined || reason === '' || text.includes(reason) ? '' : `, "${reason}"`;
  const grave =
    severity === 'info' ? '' : [' ', word(severity === 'fail' ? 'bad' : 'warn', severity)];
  return markup`<tr><td>${moment(Date.parse(time))}</td><td>${node}</td><td>${kind}${grave}</td><td>${about}${text}${lasted}${who}${why}</td></tr>
`;
}
