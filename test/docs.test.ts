import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';

/** From dist/test/ to the sources. */
const TREE = fileURLToPath(new URL('../..', import.meta.url));
const PAGE = readFileSync(join(TREE, 'docs/architecture.md'), 'utf8');

/** A path of the page: below agent/ unless it begins with another folder of the tree. */
const found = (path: string): string | undefined =>
  [`agent/${path}`, path].map((one) => join(TREE, one)).find((one) => existsSync(one));

/** Files with their ending, rooms with a slash behind them; in the picture too. */
const PATHS = [...PAGE.matchAll(/(?<![\w/.])\.?[a-z][\w.-]*(?:\/[\w.-]+)*(?:\/|\.\w+)(?!\w)/g)].map(
  ([path]) => path.replace(/\.$/, ''),
);
const NAMES = [...PAGE.matchAll(/`([\w/.-]+\.ts)` `(\w+)`/g)].map(
  ([, file = '', name = '']) => [file, name] as const,
);

test('the page of how it is built names only files and folders that are there', (t) => {
  const words = /^(agent\.toml|policy\.hold)$/;
  const lost = PATHS.filter((path) => !words.test(path) && found(path) === undefined);
  t.deepEqual(lost, []);
  // That it reads the page at all.
  for (const path of ['loop/loop.ts', 'verbs/', 'ctl/session.ts', '.oxlintrc.json'])
    t.true(PATHS.includes(path), path);
});

test('each function stands in the file that the page names before it', (t) => {
  const lost = NAMES.filter(([file, name]) => {
    const path = found(file);
    if (path === undefined) return true;
    return !new RegExp(`\\b${name}\\b`).test(readFileSync(path, 'utf8'));
  });
  t.deepEqual(lost, []);
  t.true(NAMES.length > 15, `${NAMES.length} are named`);
});

test('it has every room of the agent, 80 columns and ASCII', (t) => {
  const rooms = readdirSync(join(TREE, 'agent'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${name}/`);
  t.deepEqual(
    rooms.filter((room) => !PATHS.includes(room)),
    [],
  );
  t.deepEqual(
    PAGE.split('\n').filter((line) => !/^[ -~]{0,80}$/.test(line)),
    [],
  );
});

/** The anchors of a page, as GitHub makes them of its headings. */
const anchors = (path: string): readonly string[] =>
  [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );

test('a link from README or docs leads to something, and to a heading that is there', (t) => {
  const pages = readdirSync(join(TREE, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name));
  const leads = (page: string, to: string, anchor: string): boolean => {
    const path = to === '' ? join(TREE, page) : join(TREE, dirname(page), to);
    return existsSync(path) && (anchor === '' || anchors(path).includes(anchor));
  };
  const lost = ['README.md', ...pages].flatMap((page) =>
    [...readFileSync(join(TREE, page), 'utf8').matchAll(/\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)/g)]
      .filter(([, to = '', anchor = '']) => !leads(page, to, anchor))
      .map(([link]) => `${page}: ${link}`),
  );
  t.deepEqual(lost, []);
});
