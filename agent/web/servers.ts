import { targetOf } from '../core/servers/servers.ts';
import { markup, type Markup } from './markup.ts';
import { byWhom, capped, rateKey, word, type Picture } from './picture.ts';
import { MOST_SERVERS, serverRows, toneOf, type Cell, type Row } from './server-rows.ts';

const MOST_WISHES = 50;

/** The servers of all nodes side by side; those out of service first where there are too many. */
export function servers(picture: Picture): Markup {
  const { servers: answer, wallMs } = picture;
  if (answer === null)
    return markup`<p>The servers are being asked for; look again in a moment.</p>`;
  const { nodes, rows } = serverRows(answer);
  const silent = nodes.filter(({ problem }) => problem !== '');
  const { shown, leftOut } = capped(
    rows,
    MOST_SERVERS,
    'servers',
    'those out of service come first; proxyctl servers BACKEND shows the others.',
  );
  const groups = new Map<string, Row[]>();
  for (const row of shown) {
    const of = groups.get(row.backend);
    if (of === undefined) groups.set(row.backend, [row]);
    else of.push(row);
  }
  const names = nodes.map(({ node }) => node);
  const table =
    rows.length === 0
      ? markup`<p>No server is known on any node.</p>`
      : markup`<table class="servers">
<caption>State, sessions, new sessions a second and queue of each server, on every node</caption>
<thead>
<tr><th scope="col" rowspan="2">Server</th>${names.map((node) => markup`<th scope="colgroup" colspan="5">${node}</th>`)}</tr>
<tr>${names.map(() => HEAD)}</tr>
</thead>
${[...groups].map(([backend, of]) => group(backend, of, names, picture))}</table>`;
  const wishes = capped(
    answer.intents,
    MOST_WISHES,
    'wishes',
    'proxyctl servers shows all of them.',
  );
  return markup`${table}
${leftOut}${silent.map(
    ({ node, problem }) => markup`<p class="note">${word('warn', 'unknown')} ${node}: ${problem}</p>
`,
  )}${wishes.shown.map((intent) => {
    const target = targetOf(intent.key);
    const name = `${target?.backend ?? ''}/${target?.server ?? ''}`;
    const what = intent.key.startsWith('weight/') ? `weight ${intent.value}` : intent.value;
    return markup`<p class="note">${what} of ${name}${byWhom(intent, wallMs)}</p>
`;
  })}${wishes.leftOut}`;
}

const HEAD = markup`<th scope="col">State</th><th scope="col" class="number">Sess.</th><th scope="col" class="number">New/s</th><th scope="col" class="number">Queue</th><th scope="col">Check</th>`;

function group(
  backend: string,
  rows: readonly Row[],
  nodes: readonly string[],
  picture: Picture,
): Markup {
  const columns = 1 + nodes.length * 5;
  return markup`<tbody>
<tr class="backend"><th scope="rowgroup" colspan="${columns}">${backend}</th></tr>
${rows.map(
  (
    row,
  ) => markup`<tr><th scope="row">${row.server}</th>${nodes.map((node, at) => cells(node, row.on[at], picture))}</tr>
`,
)}</tbody>
`;
}

function cells(node: string, cell: Cell | undefined, { rates }: Picture): Markup {
  if (cell === undefined)
    return markup`<td>?</td><td class="number">-</td><td class="number">-</td><td class="number">-</td><td>-</td>`;
  const { reading, state } = cell;
  const { backend, name, sessions, queued, check } = reading;
  const rate = rates.get(rateKey(node, backend, name));
  return markup`<td>${word(toneOf(state), state)}</td><td class="number">${sessions - queued}</td><td class="number">${rate === undefined ? '-' : rateText(rate)}</td><td class="number">${queued}</td><td>${check === '' ? '-' : check}</td>`;
}

const rateText = (rate: number): string =>
  rate === 0 ? '0' : rate < 10 ? rate.toFixed(1) : String(Math.round(rate));
