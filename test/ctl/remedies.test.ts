import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { Command } from 'commander';
import { silentProgram } from './verbs.ts';

const program = silentProgram();

const FILES = ['agent', 'ctl', 'docs', 'packaging'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(?:ts|md|1|8|5)$/.test(name))
    .map((name) => join(folder, name)),
);

/** The verb that these words begin with; null: there is none. */
function verbOf([name, below = '']: readonly string[]): Command | null {
  const first = program.commands.find((one) => one.name() === name);
  if (first === undefined || first.commands.length === 0) return first ?? null;
  // Where a variable says which: every one of them has the same options.
  const named = below.startsWith('${');
  return first.commands.find((one) => named || one.name() === below) ?? null;
}

test('what remedies say to type are verbs, with options that they have', (t) => {
  const bad: string[] = [];
  let seen = 0;
  for (const file of FILES)
    for (const [, line = ''] of readFileSync(file, 'utf8').matchAll(
      /proxyctl ([a-z]+ [^\n`'"|;]*)/g,
    )) {
      const words = line.split(/\s+/);
      const options = words
        .filter((word) => /^--[a-z]/.test(word))
        .map((word) => /^--[a-z-]+/.exec(word)?.[0]);
      if (options.length === 0) continue;
      seen++;
      const verb = verbOf(words);
      for (const option of options)
        if (
          option !== '--help' &&
          option !== '--version' &&
          !verb?.options.some(({ long }) => long === option)
        )
          bad.push(`${file}: proxyctl ${line}`);
    }
  t.deepEqual(bad, []);
  t.true(seen > 10, String(seen));
});
