import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { pageOf, partsOf } from '../../agent/web/page.ts';
import { markup } from '../../agent/web/markup.ts';
import { serverReading } from '../core/builders.ts';
import { CHECKOUT } from '../lab/plan.ts';
import { PICTURE } from './pictures.ts';

const EXPECTED = join(CHECKOUT, 'test/fixtures/page.html');

test('the page shows the whole pair in one look', (t) => {
  t.is(pageOf(PICTURE), readFileSync(EXPECTED, 'utf8'));
});

test('nothing known yet is said, and no table is empty', (t) => {
  const { status } = PICTURE;
  const parts = partsOf({
    ...PICTURE,
    status: { ...status, nodes: [], verdicts: [], intents: [], alerts: [], paused: false },
    servers: null,
    events: null,
    certificates: { certificates: [], findings: [], atWallMs: null },
  });
  t.deepEqual(
    ['title', 'alerts', 'addresses', 'servers', 'certificates', 'events'].map((id) =>
      parts.get(id)?.trim(),
    ),
    [
      'all well: web',
      '<p>There is no alert.</p>',
      '<p>No CARP address is known on any node.</p>',
      '<p>The servers are being asked for; look again in a moment.</p>',
      '<p>No certificate is known on any node.</p>',
      '<p>The records are being asked for; look again in a moment.</p>',
    ],
  );
});

/** The same with markup at the end of every text in it, but for words whose kind the code knows. */
function poisoned(value: unknown, key = ''): unknown {
  if (typeof value === 'string')
    return ['time', 'line', 'notAfter', 'key'].includes(key) ? value : `${value}${EVIL}`;
  if (Array.isArray(value)) return value.map((one) => poisoned(one, key));
  if (value instanceof Map || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [name, poisoned(one, name)]),
  );
}
const EVIL = `"'><script>alert(1)</script>&\u202E\u0007`;

test('markup in any name, reason, text or state stays text', (t) => {
  const { events } = PICTURE;
  const lines = (events?.lines ?? []).map(({ node, line }) => ({
    node,
    line: JSON.stringify({
      ...(poisoned(JSON.parse(line)) as object),
      time: '2026-11-30T08:58:00.000Z',
    }),
  }));
  const evil = poisoned(PICTURE) as typeof PICTURE;
  const page = pageOf({ ...evil, events: events === null ? null : { ...events, lines } });
  const tags = (text: string): string[] =>
    (text.match(/<[^>]*>/g) ?? []).map((tag) => tag.slice(1).split(/[\s>]/, 1)[0] ?? '');
  t.deepEqual([...new Set(tags(page))].sort(), [...new Set(tags(pageOf(PICTURE)))].sort());
  t.is(tags(page).filter((tag) => tag === 'script').length, 1);
  t.true(
    (page.match(/&lt;script&gt;alert\(1\)&lt;\/script&gt;&amp;\uFFFD\uFFFD/g) ?? []).length > 50,
  );
  t.false(['\u202E', '\u0007'].some((unseen) => page.includes(unseen)));
});

test('an attribute and a list of pieces are escaped as text is', (t) => {
  t.is(
    markup`<p title="${'a"b\'c'}">${['<', 1, markup`<b>${'&'}</b>`]}</p>`.text,
    '<p title="a&quot;b&#39;c">&lt;1<b>&amp;</b></p>',
  );
});

test('of ten thousand servers those out of service are shown first, and the others counted', (t) => {
  const many = Array.from({ length: 10_000 }, (_, at) =>
    serverReading({
      backend: `B${Math.floor(at / 100)}`,
      name: `s${at}`,
      ...(at === 9999 ? { status: 'DOWN' } : {}),
    }),
  );
  const nodes = ['haproxy01', 'haproxy02'].map((node) => ({ node, problem: '', servers: many }));
  const html =
    partsOf({ ...PICTURE, servers: { node: 'haproxy01', nodes, intents: [] } }).get('servers') ??
    '';
  t.is(html.match(/<th scope="row">/g)?.length, 400);
  t.is(html.match(/<th scope="row">\w+/)?.[0], '<th scope="row">s9999');
  t.true(
    html.includes(
      '400 of 10000 servers are shown, 9600 are left out: those out of service come first; ' +
        'proxyctl servers BACKEND shows the others.',
    ),
  );
  t.true(html.length < 400_000);
});
