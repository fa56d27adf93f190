import { daysLeft } from '../core/certs/certificates.ts';
import { markup, type Markup } from './markup.ts';
import {
  capped,
  heardReports,
  moment,
  nodeNames,
  word,
  type Picture,
  type Tone,
} from './picture.ts';

const MOST = 200;
/** Fewer days than these are worth a colour. */
const [FEW, LAST] = [14, 3];

interface Row {
  readonly path: string;
  readonly names: readonly string[];
  /** Unix ms by node; NaN: not known. */
  readonly ends: Map<string, number>;
}

/** What each node's HAProxy has in memory, and how many days are left; the first to end comes first. */
export function certificates(picture: Picture): Markup {
  const { certificates: seen, status, wallMs } = picture;
  const nodes = nodeNames(picture);
  const rows = new Map<string, Row>();
  const add = (node: string, path: string, names: readonly string[], notAfter: string): void => {
    const row = rows.get(path) ?? { path, names, ends: new Map() };
    row.ends.set(node, Date.parse(notAfter));
    rows.set(path, row);
  };
  for (const [node, { haproxy }] of heardReports(picture))
    for (const one of haproxy.flatMap(({ certificates }) => certificates))
      add(node, one.path, one.names, one.notAfter);
  for (const { path, names, notAfter } of seen.certificates)
    add(status.node, path, names, notAfter);
  const first = ({ ends }: Row): number => Math.min(...[...ends.values()].map((end) => end || 0));
  const sorted = [...rows.values()].sort((a, b) => first(a) - first(b));
  const { shown, leftOut } = capped(
    sorted,
    MOST,
    'certificates',
    'the first to end are here; proxyctl cert list shows all of them.',
  );
  const findings = capped(seen.findings, MOST, 'findings', 'proxyctl cert list shows all of them.');
  const table =
    shown.length === 0
      ? markup`<p>No certificate is known on any node.</p>`
      : markup`<table>
<caption>Days left of each certificate, on every node</caption>
<thead><tr><th scope="col">Certificate</th><th scope="col">Names</th>${nodes.map((node) => markup`<th scope="col">${node}</th>`)}</tr></thead>
<tbody>
${shown.map(
  ({ path, names, ends }) =>
    markup`<tr><th scope="row">${path}</th><td>${few(names)}</td>${nodes.map((node) => markup`<td>${left(ends.get(node), wallMs)}</td>`)}</tr>
`,
)}</tbody>
</table>`;
  return markup`${table}
${leftOut}${findings.shown.map(
    ({ node, name, text }) => markup`<p class="note">${node}: ${name}: ${text}</p>
`,
  )}${findings.leftOut}`;
}

function few(names: readonly string[]): string {
  const shown = names.slice(0, 4).join(', ');
  return names.length > 4 ? `${shown} and ${names.length - 4} more` : shown;
}

function left(endMs: number | undefined, wallMs: number): Markup {
  if (endMs === undefined) return markup`-`;
  if (Number.isNaN(endMs)) return word('warn', 'unknown');
  const days = daysLeft(endMs, wallMs);
  const tone: Tone = days < LAST ? 'bad' : days < FEW ? 'warn' : 'plain';
  const text = days < 0 ? 'ended' : `${days} ${days === 1 ? 'day' : 'days'}`;
  return markup`${word(tone, text)} <span class="small">${moment(endMs)}</span>`;
}
