import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { DIRECTORIES } from '../../packaging/contents.ts';
import { written } from './world.ts';

/** From dist/test/setup/ to the sources. */
const TREE = fileURLToPath(new URL('../../..', import.meta.url));
const PAGE = readFileSync(join(TREE, 'docs/security.md'), 'utf8');
const NIGHT = [...PAGE.matchAll(/^```sh\n([^]*?)^```$/gm)]
  .flatMap(([, block = '']) => block.split('\n'))
  .filter((line) => line !== '');

/** Words as sh has them; the page quotes with '...' only. */
const wordsOf = (line: string): string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');

test('each command of the night can be said, and again, and does what it is for', async (t) => {
  const world = await written(t);
  for (const line of NIGHT) {
    const [program, ...argv] = wordsOf(line);
    t.is(program, 'proxyctl', line);
    const isPki = argv[0] === 'pki';
    // No agent is in reach here: the list is written all the same.
    const offline = argv[1] === 'revoke' ? ['--offline'] : [];
    const { code, stderr } = await world.run(...argv, ...offline);
    if (isPki) t.is(code, 0, `${line}\n${stderr}`);
    else t.regex(stderr, /no context is configured/, line);
  }
  for (const file of ['haproxy01/node.pem', 'web/pki/crl.pem'])
    t.true(existsSync(world.at(file)), file);
});

test('directories stand on the page of security as they are made', (t) => {
  for (const { path, mode, owner, group } of DIRECTORIES)
    t.true(
      PAGE.includes(`| \`${path}\` | ${owner}:${group} | 0${mode.toString(8)} |`),
      `${path} ${owner}:${group} 0${mode.toString(8)}`,
    );
});
