import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { GUIDE } from '../../packaging/contents.ts';
import { CHECKOUT } from '../lab/plan.ts';
import { page, spoken, typedIn, unprompted } from './typed.ts';
import { refusal } from './understood.ts';

const RUNBOOKS = readdirSync(join(CHECKOUT, 'docs/runbooks')).filter(
  (name) => name !== 'README.md',
);
const PAGES = ['README.md', ...GUIDE.map((name) => `docs/${name}`)];

test('the program takes every command line of proxyctl on every page', async (t) => {
  const wrong: string[] = [];
  let lines = 0;
  for (const path of PAGES)
    for (const argv of spoken(page(path))) {
      lines++;
      const why = await refusal(argv);
      if (why !== null) wrong.push(`${path}: proxyctl ${argv.join(' ')}: ${why}`);
    }
  t.deepEqual(wrong, []);
  // That it reads the pages at all.
  t.true(lines > 150, `${lines} lines`);
});

test('a command line with a word that the program does not know is found', async (t) => {
  t.regex((await refusal(['failover', '--wherever'])) ?? '', /unknown option '--wherever'/);
  t.regex((await refusal(['maintenance', 'on'])) ?? '', /missing required argument/);
});

test('the card for the night is one page of 80 columns', (t) => {
  const lines = page('docs/night.md').split('\n');
  t.deepEqual(
    lines.filter((line) => !/^[ -~]{0,80}$/.test(line)),
    [],
  );
  t.true(lines.length <= 66, `${lines.length} lines`);
});

test('each runbook stands in the table of runbooks, and each line of it says where it is typed', (t) => {
  const listed = [...page('docs/runbooks/README.md').matchAll(/^\| \[.*\]\((.*)\)/gm)].map(
    ([, name = '']) => name,
  );
  t.deepEqual(listed.sort(), RUNBOOKS.sort());
  for (const name of RUNBOOKS) {
    const text = page(`docs/runbooks/${name}`);
    t.deepEqual(unprompted(text), [], name);
    const places = new Set(typedIn(text).map(({ place }) => place));
    for (const place of places) t.regex(place, /^(laptop|haproxy0[12])$/, name);
  }
});

test('the guide names every page of it, and the package has every page', (t) => {
  const there = readdirSync(join(CHECKOUT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !/^(architecture\.md|decisions\/)/.test(name))
    .sort();
  t.deepEqual([...GUIDE].sort(), there);
  const named = [...page('docs/operations.md').matchAll(/\]\(([^)#]+)/g)].map(([, to]) => to);
  const own = there.filter((name) => !name.startsWith('runbooks/') && name !== 'operations.md');
  t.deepEqual(
    own.filter((name) => !named.includes(name)),
    [],
  );
});
