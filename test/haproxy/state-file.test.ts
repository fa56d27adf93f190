import test from 'ava';
import { sectionsOf } from '../../agent/core/haproxy-config/sections.ts';
import { backendsWithStateFile, stateFilesOf } from '../../agent/haproxy/state-file.ts';

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

test('which files certainly are read at the next start, by absolute path', (t) => {
  const files = (text: string) => stateFilesOf(sectionsOf(text));
  const text = (...global: string[]): string => `global
  ${global.join('\n  ')}
defaults
  load-server-state-from-file global
backend A
  server s 10.0.0.1:80
listen B
  server-template s 1-3 10.0.0.1:80
backend EMPTY
backend OFF
  disabled
  server s 10.0.0.1:80
backend OWN
  load-server-state-from-file local
  server s 10.0.0.1:80
backend NAMED
  load-server-state-from-file local
  server-state-file-name named.state
  server s 10.0.0.1:80
backend PATH
  load-server-state-from-file local
  server-state-file-name /var/db/path
  server s 10.0.0.1:80
`;
  const common = { of: null, backends: ['A', 'B'] };
  const path = { path: '/var/db/path', of: 'PATH', backends: ['PATH'] };
  t.deepEqual(files(text('server-state-file /var/db/all', 'server-state-base /var/db/states/')), [
    { path: '/var/db/all', ...common },
    { path: '/var/db/states/OWN', of: 'OWN', backends: ['OWN'] },
    { path: '/var/db/states/named.state', of: 'NAMED', backends: ['NAMED'] },
    path,
  ]);
  t.deepEqual(files(text('server-state-file all', 'server-state-base /s')), [
    { path: '/s/all', ...common },
    { path: '/s/OWN', of: 'OWN', backends: ['OWN'] },
    { path: '/s/named.state', of: 'NAMED', backends: ['NAMED'] },
    path,
  ]);
  t.deepEqual(files(text('server-state-file all')), [path], 'relative to where it is started');
  t.deepEqual(files(text('server-state-file "${DIR}/all"')), [path]);
  const guarded = ['.if defined(X)', 'server-state-file /var/db/all', '.endif'];
  t.deepEqual(files(text(...guarded)), [path]);
});

test('a condition around the word, the backend or its defaults: no file is certain', (t) => {
  const text = `global
  server-state-file /var/db/all
backend A
  .if defined(STATE)
  load-server-state-from-file global
  .endif
  server s 10.0.0.1:80
.if defined(B)
backend B
  load-server-state-from-file global
  server s 10.0.0.1:80
.endif
defaults base
  .if defined(STATE)
  load-server-state-from-file none
  .else
  load-server-state-from-file global
  .endif
backend C from base
  server s 10.0.0.1:80
backend D from unheard
  server s 10.0.0.1:80
backend E
  load-server-state-from-file "$WHERE"
  server s 10.0.0.1:80
`;
  t.deepEqual(stateFilesOf(sectionsOf(text)), []);
});
