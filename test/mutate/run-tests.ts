import { pathToFileURL } from 'node:url';
import { runDeclared } from './ava.ts';

/** node run-tests.js FILE...   the tests of these files, one file after the other; exit 1 at the first failure */
for (const file of process.argv.slice(2)) {
  await import(pathToFileURL(file).href);
  if (!(await runDeclared())) process.exit(1);
}
process.exit(0);
