import test from 'ava';
import type { ActError, ActResult, NodeOutcome } from '../../agent/core/results.ts';
import { incompleteOf, incompleteText } from '../../ctl/help/incomplete.ts';
import { nodeFailures, saidOnce } from '../../ctl/render/acts.ts';

const error = (code: string, message = code): ActError => ({
  code,
  message,
  cause: '',
  remediation: '',
  retryable: true,
});
const row = (node: string, failure: ActError | null): NodeOutcome => ({
  node,
  ok: failure === null,
  changed: true,
  error: failure,
});
const ended = (said: ActError | null, nodes: readonly NodeOutcome[]): ActResult => ({
  outcome: 'partial',
  changed: true,
  requestId: 'r',
  node: 'haproxy01',
  tookMs: 1,
  nodes,
  error: said,
  addresses: [],
  servers: [],
  certificates: [],
});
const AWAY = error('agent_unreachable', 'the agent on haproxy02 does not answer');
const LEFT = error('sessions_left', '3 sessions left after 2 s');
const UNCOUNTED = error('sessions_not_counted', '1 older HAProxy process not counted');
const ON_1 = error('sessions_left', '3 sessions left: WEB/web1 3 on haproxy01');

test('exit 6: sessions that are left are told apart from a node that is away', (t) => {
  const away = ended(AWAY, [row('haproxy01', null), row('haproxy02', AWAY)]);
  const left = ended(LEFT, [row('haproxy01', ON_1), row('haproxy02', null)]);
  const both = ended(LEFT, [row('haproxy01', ON_1), row('haproxy02', AWAY)]);
  t.deepEqual(
    [away, left, both].map((one) => [incompleteOf(one), incompleteText(incompleteOf(one))]),
    [
      [['nodes'], 'proxyctl: done on some nodes only; the others catch up when they are back'],
      [['sessions'], 'proxyctl: in force; only sessions are left, or may be'],
      [
        ['nodes', 'sessions'],
        'proxyctl: done on some nodes only; the others catch up when they are back',
      ],
    ],
  );
  const uncounted = ended(UNCOUNTED, [row('haproxy01', UNCOUNTED), row('haproxy02', null)]);
  t.deepEqual(incompleteOf(uncounted), ['sessions'], 'no node is away');
  t.deepEqual(incompleteOf({ ...left, outcome: 'reached' }), []);
  t.deepEqual(incompleteOf(ended(error('not_finished'), [])), ['addresses']);
  t.deepEqual(incompleteOf(ended(null, [])), ['nodes']);
});

test('what went wrong is said once, with the node where its words do not name one', (t) => {
  const away = ended(AWAY, [row('haproxy01', null), row('haproxy02', AWAY)]);
  t.deepEqual([saidOnce(away)?.message, nodeFailures(away)], [AWAY.message, []]);
  const unsaid = ended(null, [row('haproxy01', null), row('haproxy02', AWAY)]);
  t.deepEqual([saidOnce(unsaid)?.message, nodeFailures(unsaid)], [AWAY.message, []]);
  const full = error('failed', 'no room on the disk');
  const nameless = ended(full, [row('haproxy01', null), row('haproxy02', full)]);
  t.deepEqual(
    [saidOnce(nameless)?.message, nodeFailures(nameless)],
    ['haproxy02: no room on the disk', []],
  );
  const two = ended(full, [row('haproxy01', full), row('haproxy02', AWAY)]);
  t.deepEqual(
    [saidOnce(two)?.message, nodeFailures(two)],
    ['haproxy01: no room on the disk', ['  haproxy02: the agent on haproxy02 does not answer']],
  );
});
