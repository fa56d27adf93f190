import { isHeard } from '../core/heard.ts';
import { PAUSE_KEY } from '../core/intents.ts';
import { addresses } from './addresses.ts';
import { alerts } from './alerts.ts';
import { certificates } from './certificates.ts';
import { events } from './events.ts';
import { markup, type Markup } from './markup.ts';
import { nodes } from './nodes.ts';
import { byWhom, moment, word, type Picture } from './picture.ts';
import { servers } from './servers.ts';

/** The sections of the page, in their order; each can be shown anew without the others. */
const SECTIONS = {
  alerts: { title: 'Alerts', show: alerts },
  addresses: { title: 'Addresses', show: addresses },
  nodes: { title: 'Nodes', show: nodes },
  servers: { title: 'Servers', show: servers },
  certificates: { title: 'Certificates', show: certificates },
  events: { title: 'Events', show: events },
} as const satisfies Readonly<
  Record<string, { title: string; show: (picture: Picture) => Markup }>
>;

/** What can change, by the id of its element. `title` is text and no HTML. */
export type Parts = ReadonlyMap<string, string>;

/** Every part as it is in this picture. */
export const partsOf = (picture: Picture): Parts =>
  new Map([
    ['title', titleOf(picture)],
    ['summary', summary(picture).text],
    ...Object.entries(SECTIONS).map(([id, { show }]) => [id, show(picture).text] as const),
  ]);

/** The whole page; all that it loads is its own, by relative names, so that a proxy may put it below a path. */
export function pageOf(picture: Picture): string {
  const sections = Object.entries(SECTIONS).map(
    ([id, { title, show }]) => markup`<section aria-labelledby="h-${id}">
<h2 id="h-${id}">${title}</h2>
<div id="${id}" class="scroll" role="group" aria-labelledby="h-${id}" tabindex="0">
${show(picture)}
</div>
</section>
`,
  );
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${titleOf(picture)}</title>
<link rel="stylesheet" href="page.css">
<script src="page.js" defer></script>
</head>
<body>
<header>
<h1>${picture.status.pair}</h1>
<p id="summary">${summary(picture)}</p>
<p id="live" role="status">This page is as it was asked for; reload it to see what is now.</p>
</header>
<main>
${sections}</main>
</body>
</html>
`.text;
}

function titleOf({ status }: Picture): string {
  const count = status.alerts.length;
  return `${count === 0 ? 'all well' : count === 1 ? '1 alert' : `${count} alerts`}: ${status.pair}`;
}

function summary({ status, wallMs }: Picture): Markup {
  const heard = status.nodes.filter(isHeard).length;
  const { length } = status.alerts;
  const paused = status.intents.find(({ key }) => key === PAUSE_KEY);
  const automation = status.paused ? word('warn', 'paused') : markup`on`;
  return markup`${word(heard === status.nodes.length ? 'good' : 'bad', `${heard} of ${status.nodes.length}`)} nodes alive, automation ${automation}${paused === undefined ? '' : byWhom(paused, wallMs)}, ${word(length === 0 ? 'good' : 'warn', `${length} ${length === 1 ? 'alert' : 'alerts'}`)}. ${status.node} answered at ${moment(wallMs)}.`;
}
