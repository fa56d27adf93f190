import { duration } from '../core/duration.ts';
import { markup, type Markup } from './markup.ts';
import { capped, word, type Picture } from './picture.ts';

const MOST = 200;

/** What is not as it should be, since when, and what to do. */
export function alerts({ status, nowMs }: Picture): Markup {
  const grave = [...status.alerts].sort(
    (a, b) => Number(b.severity === 'fail') - Number(a.severity === 'fail'),
  );
  const { shown, leftOut } = capped(grave, MOST, 'alerts', 'proxyctl status shows all of them.');
  if (shown.length === 0) return markup`<p>There is no alert.</p>`;
  return markup`<table>
<caption>What is not as it should be, and what to do</caption>
<thead><tr><th scope="col">Severity</th><th scope="col">Alert</th><th scope="col">About</th><th scope="col">Noticed by</th><th scope="col">Since</th><th scope="col">What it is</th><th scope="col">What to do</th></tr></thead>
<tbody>
${shown.map(({ id, node, subject, severity, text, remedy, sinceMs }) => {
  const since = sinceMs === null ? '?' : duration(Math.max(0, nowMs - sinceMs));
  return markup`<tr><td>${word(severity === 'fail' ? 'bad' : 'warn', severity)}</td><th scope="row">${id}</th><td>${subject}</td><td>${node}</td><td>${since}</td><td>${text}</td><td>${remedy === '' ? '-' : remedy}</td></tr>
`;
})}</tbody>
</table>
${leftOut}`;
}
