import { readFileSync } from 'node:fs';
import { startHelper, type HelperOptions } from '../../agent/privilege/helper.ts';

// Fences its host through a helper and stays: to be killed.
const [file = ''] = process.argv.slice(2);
const { behind = [], ...tools } = JSON.parse(readFileSync(file, 'utf8')) as HelperOptions & {
  /** What is asked behind the fence, all at once. */
  readonly behind?: readonly (readonly string[])[];
};
const NOTHING = { directories: [], lists: [], named: [], check: [], reload: [], deploy: null };
const helper = await startHelper({ ...tools, ...NOTHING });
await helper.ask(['allow', '0'], 10_000);
for (const words of behind) helper.ask(words, 10_000).catch(() => undefined);
setInterval(() => undefined, 60_000);
