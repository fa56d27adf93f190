import type { NodeStatus } from '../core/answers.ts';
import { addressIds, isHeard } from '../core/heard.ts';
import type { AddressReport } from '../core/model.ts';
import { markup, type Markup } from './markup.ts';
import { byWhom, capped, nodeNames, word, type Picture, type Tone } from './picture.ts';

const MOST = 300;
const TONES: Readonly<Record<string, Tone>> = { MASTER: 'good', BACKUP: 'plain', INIT: 'warn' };

/** Who owns each address, and what CARP is on every node. */
export function addresses(picture: Picture): Markup {
  const { status } = picture;
  const nodes = nodeNames(picture);
  const { shown, leftOut } = capped(
    addressIds(status),
    MOST,
    'addresses',
    'proxyctl status shows all of them.',
  );
  if (shown.length === 0) return markup`<p>No CARP address is known on any node.</p>`;
  return markup`<table>
<caption>Owner and CARP state of each address</caption>
<thead><tr><th scope="col">Address</th><th scope="col">VIP</th><th scope="col">Owner</th>${nodes.map((node) => markup`<th scope="col">${node}</th>`)}<th scope="col">Pin</th></tr></thead>
<tbody>
${shown.map((id) => row(picture, id, nodes))}</tbody>
</table>
${leftOut}${decisions(picture, shown)}`;
}

function row({ status, wallMs }: Picture, id: string, nodes: readonly string[]): Markup {
  const readings = new Map(
    status.nodes.flatMap((node) =>
      (node.report?.addresses ?? [])
        .filter(({ address }) => address === id)
        .map((reading) => [node.node, { node, reading }] as const),
    ),
  );
  const verdict = status.verdicts.find(({ address }) => address === id);
  const vips = [...readings.values()][0]?.reading.vips ?? [];
  const pin = verdict?.pin ?? null;
  const cells = nodes.map((node) => {
    const found = readings.get(node);
    return markup`<td>${found === undefined ? '-' : carp(found.node, found.reading)}</td>`;
  });
  return markup`<tr><th scope="row">${id}</th><td>${vips.map((vip, at) => [at === 0 ? '' : markup`<br>`, vip])}</td><td>${verdict?.owner ?? 'none'}</td>${cells}<td>${pin === null ? '-' : [pin.value, byWhom(pin, wallMs)]}</td></tr>
`;
}

/** What a node not heard said last is never shown as present. */
function carp(node: NodeStatus, { state, advskew, baseAdvskew }: AddressReport): Markup {
  const base = baseAdvskew !== null && baseAdvskew !== advskew ? ` (base ${baseAdvskew})` : '';
  return isHeard(node)
    ? markup`${word(TONES[state] ?? 'warn', state)} <span class="small">advskew ${advskew}${base}</span>`
    : markup`${word('warn', 'unknown')} <span class="small">was ${state}</span>`;
}

function decisions({ status }: Picture, ids: readonly string[]): Markup {
  const said = status.verdicts.filter(
    ({ address, reason }) => ids.includes(address) && reason !== '',
  );
  if (said.length === 0) return markup``;
  return markup`<ul class="notes">
${said.map(
  ({ reason }) => markup`<li>${reason}</li>
`,
)}</ul>`;
}
