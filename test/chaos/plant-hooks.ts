import { readFileSync } from 'node:fs';
import type { InitializeHook, LoadHook } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Bug } from './bugs.ts';

// Module hooks of Node, in their own thread: one module is loaded with a bug in it.
let planted: Bug | null = null;

export const initialize: InitializeHook<Bug> = (bug) => {
  planted = bug;
};

export const load: LoadHook = (url, context, next) => {
  if (planted === null || !url.endsWith(`/dist/${planted.file}`)) return next(url, context);
  const { from, to } = planted;
  const text = readFileSync(fileURLToPath(url), 'utf8');
  if (text.split(from).length !== 2) throw new Error(`${url} has not once: ${from}`);
  return { format: 'module', shortCircuit: true, source: text.replace(from, () => to) };
};
