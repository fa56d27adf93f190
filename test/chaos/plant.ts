import { register } from 'node:module';
import { BUGS } from './bugs.ts';

// Loaded before the agent of a lab (NODE_OPTIONS=--import): the bug of the name in LAB_BUG is in it.
const bug = BUGS.find(({ name }) => name === process.env['LAB_BUG']);
if (bug !== undefined) register('./plant-hooks.js', { parentURL: import.meta.url, data: bug });
