import { readFileSync } from 'node:fs';
import { startHelper, type HelperOptions } from '../../agent/privilege/helper.ts';

// Fences its host through a helper and stays: to be killed.
const [file = ''] = process.argv.slice(2);
const tools = JSON.parse(readFileSync(file, 'utf8')) as HelperOptions;
const NOTHING = { directories: [], lists: [], named: [], check: [], reload: [] };
const helper = await startHelper({ ...tools, ...NOTHING });
await helper.ask(['allow', '0'], 10_000);
setInterval(() => undefined, 60_000);
