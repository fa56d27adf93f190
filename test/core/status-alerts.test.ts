import test from 'ava';
import { alert } from '../../agent/core/alerts/alert.ts';
import type { NodeStatus } from '../../agent/core/answers.ts';
import type { NodeReport } from '../../agent/core/model.ts';
import { statusAlerts } from '../../agent/core/alerts/status-alerts.ts';
import { address, haproxy, NOW, report } from '../reports.ts';

const A = 'haproxy01';
const B = 'haproxy02';
const MASTER = address({ state: 'MASTER' });

const nodeOf = (
  node: string,
  change: Partial<NodeReport> = {},
  more: Partial<NodeStatus> = {},
): NodeStatus => ({
  node,
  peerClass: 'alive',
  ageMs: 100,
  report: report(node, change),
  problem: '',
  ...more,
});
const onA = (change: Partial<NodeReport> = {}) => nodeOf(A, { addresses: [MASTER], ...change });
const alertsOf = (...nodes: readonly NodeStatus[]) =>
  statusAlerts({ node: A, nodes, intents: [] }, [], NOW);

test('a pair where all is well has no alert', (t) => {
  t.deepEqual(alertsOf(onA(), nodeOf(B)), []);
});

test('a node that is not heard is one alert, since it was heard last', (t) => {
  const gone = { ageMs: 40_000, problem: 'connection refused' };
  const said = {
    id: 'not-heard',
    node: A,
    subject: B,
    severity: 'warn',
    remedy: `on ${B}: service proxyagent status`,
  } as const;
  t.deepEqual(alertsOf(onA(), nodeOf(B, {}, gone)), [
    { ...said, text: 'is not heard: connection refused', sinceMs: NOW - 40_000 },
  ]);
  t.deepEqual(alertsOf(onA(), nodeOf(B, {}, { ageMs: null, report: null })), [
    { ...said, text: 'is not heard: it has not reported yet', sinceMs: null },
  ]);
});

test('two MASTERs are an alert since the second one came; of nodes that are heard', (t) => {
  const second = { addresses: [address({ state: 'MASTER', stateSinceMs: NOW - 3000 })] };
  t.deepEqual(alertsOf(onA(), nodeOf(B, second)), [
    {
      id: 'split-brain',
      node: A,
      subject: '1@wan',
      severity: 'fail',
      text: `MASTER on ${A} and ${B} at once`,
      remedy: 'see that CARP adverts pass between the hosts: proxyctl doctor',
      sinceMs: NOW - 3000,
    },
  ]);
  const ids = alertsOf(onA(), nodeOf(B, second, { problem: 'x' })).map(({ id }) => id);
  t.deepEqual(ids, ['not-heard']);
});

test('no MASTER is an alert where every node is heard: one that is not may have it', (t) => {
  const since = { addresses: [address({ stateSinceMs: NOW - 2000 })] };
  t.deepEqual(alertsOf(nodeOf(A, since), nodeOf(B)), [
    {
      id: 'no-master',
      node: A,
      subject: '1@wan',
      severity: 'fail',
      text: 'no node is MASTER',
      remedy: 'ifconfig on each host; proxyctl explain 1@wan',
      sinceMs: NOW - 2000,
    },
  ]);
  const ids = alertsOf(nodeOf(A), nodeOf(B, {}, { problem: 'x' })).map(({ id }) => id);
  t.deepEqual(ids, ['not-heard']);
  const newer = nodeOf(B, { addresses: [address({ state: 'unknown' })] });
  t.deepEqual(alertsOf(nodeOf(A), newer), [], 'a state that only a newer agent knows may be one');
});

test('what the decision warns of is said by the node that answers', (t) => {
  const noticed = alert('all-down', '1@wan', 'HAProxy serves on no node: nothing moves', 'do');
  const nodes = [onA(), nodeOf(B)];
  t.deepEqual(statusAlerts({ node: A, nodes, intents: [] }, [{ ...noticed, sinceMs: 7 }], NOW), [
    {
      id: 'all-down',
      node: A,
      subject: '1@wan',
      severity: 'fail',
      text: 'HAProxy serves on no node: nothing moves',
      remedy: 'do',
      sinceMs: 7,
    },
  ]);
});

test("a heard node's own troubles: fence, problems, HAProxy, drift, health", (t) => {
  const drift = ['s1', 's2', 's3', 's4'].map((server) => ({
    backend: 'WEB',
    server,
    is: 'maint',
    should: 'ready',
    wished: server === 's1',
  }));
  const found = alertsOf(
    onA(),
    nodeOf(B, {
      fenced: true,
      problems: [
        { subject: 'devd', cause: 'no devd.pipe', remedy: 'start devd', sinceMs: 5 },
        { subject: 'certificate-expired www', cause: 'it ended', remedy: 'push', sinceMs: 6 },
      ],
      haproxy: [
        haproxy({ state: 'hung', stateSinceMs: 8, problem: 'no reply', drift, drifted: 9 }),
      ],
      health: 'degraded',
      healthSinceMs: 9,
      healthReason: 'backend GITEA is down here and up on a peer',
    }),
  );
  t.true(found.every(({ node }) => node === B));
  const lines = found.map(({ id, subject, severity, text, remedy, sinceMs }) =>
    [id, severity, subject, text, remedy, sinceMs].join(' | '),
  );
  const shown = 'changed by hand or by another tool: proxyctl servers WEB';
  t.deepEqual(lines, [
    `fenced | warn | ${B} | is fenced: CARP is off there until adverts arrive again | proxyctl doctor | `,
    'problem | warn | devd | no devd.pipe | start devd | 5',
    'problem | fail | certificate-expired www | it ended | push | 6',
    `haproxy-hung | warn | haproxy | HAProxy hung: no reply | on ${B}: service haproxy status | 8`,
    `drift | warn | WEB/s1 | maint on ${B}, and ready was asked for | ${shown} | `,
    `drift | warn | WEB/s2 | maint on ${B}, and ready is configured | ${shown} | `,
    `drift | warn | WEB/s3 | maint on ${B}, and ready is configured | ${shown} | `,
    `drift | warn | ${B} | 6 servers more | proxyctl status -o json, drift | `,
    'degraded | warn | health | backend GITEA is down here and up on a peer | proxyctl servers | 9',
  ]);
});

test('HAProxy that is not up fails clients where an address is, and is redundancy lost elsewhere', (t) => {
  const down = { haproxy: [haproxy({ state: 'down' })] };
  const severities = (...nodes: readonly NodeStatus[]) =>
    alertsOf(...nodes).map(({ id, node, severity }) => [id, node, severity]);
  t.deepEqual(severities(onA(down), nodeOf(B, down)), [
    ['haproxy-down', A, 'fail'],
    ['haproxy-down', B, 'warn'],
  ]);
});
