import test from 'ava';
import { beforeOf, missingOf } from '../../agent/core/deploy/served.ts';
import type { AppliedIntent, HaproxyReport } from '../../agent/core/model.ts';
import { haproxy } from '../reports.ts';

const STAMP = { wallMs: 1, count: 0, node: 'haproxy01' };
const wish = (problem: string, server?: 'gone'): AppliedIntent => ({
  key: 'server//WEB/web1',
  stamp: STAMP,
  problem,
  ...(server === undefined ? {} : { server }),
});
const backend = (name: string, up: boolean) => ({ name, up, serversUp: 1, servers: 1 });
const certificate = (path: string, fingerprint: string | null) => ({
  path,
  fingerprint,
  notAfter: '',
  names: [],
});
const OLD = haproxy({
  state: 'up',
  pid: 7,
  frontends: [{ name: 'www', open: true, required: true }],
  backends: [backend('WEB', true), backend('GIT', false)],
  certificates: [certificate('/a.pem', 'aa'), certificate('/b.pem', null)],
});

test('what a reload has to bring back, and what may be otherwise', (t) => {
  const before = beforeOf(OLD);
  const rows: [string, Partial<HaproxyReport>, readonly AppliedIntent[]][] = [
    ['as before', {}, []],
    ['the old process', { pid: 7 }, []],
    ['no answer', { state: 'down', problem: 'gone' }, []],
    ['no frontend', { frontends: [] }, []],
    ['a closed one', { frontends: [{ name: 'www', open: false, required: true }] }, []],
    [
      'one that need not be',
      {
        frontends: [
          { name: 'www', open: true, required: true },
          { name: 'x', open: false, required: false },
        ],
      },
      [],
    ],
    ['a backend down', { backends: [backend('WEB', false)] }, []],
    ['one that was down before', { backends: [backend('WEB', true), backend('GIT', false)] }, []],
    ['one that is gone', { backends: [] }, []],
    ['another certificate', { certificates: [certificate('/a.pem', 'bb')] }, []],
    ['a new certificate', { certificates: [certificate('/c.pem', 'cc')] }, []],
    ['a wish not told yet', {}, [wish('HAProxy does not answer')]],
    ['a wish without its server', {}, [wish('HAProxy has no server WEB/web1', 'gone')]],
  ];
  t.deepEqual(
    rows.map(([what, change, applied]) => {
      const { process, settling } = missingOf(before, { ...OLD, pid: 8, ...change }, applied, true);
      return [what, process, settling];
    }),
    [
      ['as before', '', ''],
      ['the old process', 'process 7 still answers', ''],
      ['no answer', 'HAProxy is down: gone', ''],
      ['no frontend', 'it has no frontend', ''],
      ['a closed one', 'not open: www', ''],
      ['one that need not be', '', ''],
      ['a backend down', '', 'down, and was up before: WEB'],
      ['one that was down before', '', ''],
      ['one that is gone', '', ''],
      ['another certificate', 'another certificate than before: /a.pem', ''],
      ['a new certificate', '', ''],
      ['a wish not told yet', '', 'not in force again: server//WEB/web1'],
      ['a wish without its server', '', ''],
    ],
  );
});
