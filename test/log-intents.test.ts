import test from 'ava';
import type { Intent } from '../agent/core/model.ts';
import { logIntents, type Log } from '../agent/log.ts';
import { intent } from './core/builders.ts';

const intents = (count: number): Intent[] =>
  Array.from({ length: count }, (_, at) => intent(`server//WEB/web${at}`, 'drain'));

test('of thousands of decisions each has its line, and others have their turns between', async (t) => {
  const lines: string[] = [];
  const line = (_event: string, _fields: unknown, text: string): void => void lines.push(text);
  const log: Log = {
    info: line,
    warn: line,
    error: line,
    reopen: () => undefined,
    flush: () => undefined,
  };
  const many = intents(1000);
  const written = logIntents(log, many);
  const atOnce = lines.length;
  let turns = 0;
  const count = (): void => {
    turns += 1;
    if (lines.length < many.length) setImmediate(count);
  };
  setImmediate(count);
  await written;
  t.deepEqual([atOnce, turns >= 8, lines], [100, true, many.map(({ key }) => key)]);
  await logIntents(log, intents(1));
  t.is(lines.length, 1001);
});
