import test from 'ava';
import { sectionsOf } from '../../agent/haproxy/config-text.ts';
import { backendsWithStateFile } from '../../agent/haproxy/state-file.ts';

const withFile = (text: string): string[] => [...backendsWithStateFile(sectionsOf(text))];

test('which backends begin with a state file: own word, defaults, named ones, and none', (t) => {
  const text = (global: string): string => `global
  ${global}
backend BEFORE
defaults
  load-server-state-from-file global
backend GLOBAL
backend OWN
  load-server-state-from-file local
backend NONE
  load-server-state-from-file none
defaults other
backend OTHER
defaults third from other
  load-server-state-from-file local
frontend F
backend LATER from other
listen NAMED from third
`;
  t.deepEqual(withFile(text('server-state-file /var/db/haproxy.state')), [
    'GLOBAL',
    'OWN',
    'NAMED',
  ]);
  t.deepEqual(withFile(text('')), ['OWN', 'NAMED'], 'no global file is named');
});

test('what stands in a condition may hold, and ends nothing', (t) => {
  const text = `backend A
  .if defined(STATE)
  load-server-state-from-file local
  .endif
backend B
  load-server-state-from-file local
  .if defined(STATE)
  load-server-state-from-file none
  .endif
`;
  t.deepEqual(withFile(text), ['A', 'B']);
});
