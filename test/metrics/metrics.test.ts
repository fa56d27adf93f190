import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import test, { type ExecutionContext } from 'ava';
import { freePort } from '../free-port.ts';
import { drillValue, type DrillRecord } from '../../agent/core/drill.ts';
import type { Status } from '../../agent/core/answers.ts';
import type { CertificatesSeen } from '../../agent/core/certs/certificates.ts';
import type { OwnerChange } from '../../agent/core/history.ts';
import { startMetrics } from '../../agent/metrics/metrics.ts';
import { problems } from '../../agent/problems.ts';
import { heard, intent } from '../core/builders.ts';
import { FakeClock } from '../fake-clock.ts';
import { address, haproxy, inspected, NOW, report } from '../reports.ts';

const WALL = 1_800_000_000_000;

const change = (more: Partial<OwnerChange> = {}): OwnerChange => ({
  address: '1@wan',
  from: 'haproxy02',
  to: 'haproxy01',
  cause: 'agent',
  reason: 'failback',
  atWallMs: WALL,
  ...more,
});

const mine = report('haproxy01', {
  addresses: [address({ state: 'MASTER', advskew: 10, owner: 'haproxy01' })],
  haproxy: [haproxy({ sessions: 7 })],
});

const DRILL: DrillRecord = {
  kind: 'haproxy',
  state: 'passed',
  node: 'haproxy01',
  by: 'haproxy01',
  means: 'health',
  startedWallMs: WALL - 5000,
  endedWallMs: WALL - 2000,
  deadlineWallMs: WALL + 60_000,
  maxOutageMs: 500,
  darkMs: 42,
  sent: 100,
  lost: 1,
  why: '',
  homes: {},
};

const STATUS: Status = {
  pair: 'web',
  node: 'haproxy01',
  paused: true,
  nodes: [{ node: 'haproxy01', peerClass: 'alive', ageMs: 0, report: mine, problem: '' }],
  verdicts: [{ address: '1@wan', owner: 'haproxy01', reason: '', sinceMs: NOW, pin: null }],
  intents: [
    intent('server//WEB/web1', 'drain', { stamp: { wallMs: WALL - 90_000, count: 0, node: 'a' } }),
    intent('maintenance/haproxy01', 'on'),
    intent('drill/haproxy', drillValue(DRILL)),
    intent(
      'drill/agent',
      drillValue({ ...DRILL, state: 'running', endedWallMs: null, darkMs: null }),
    ),
  ],
  alerts: [
    {
      id: 'server-gone',
      node: 'haproxy02',
      subject: 'WEB/"x\\\n',
      severity: 'warn',
      text: '',
      remedy: '',
      sinceMs: NOW - 30_000,
    },
  ],
  newest: null,
};

async function world(t: ExecutionContext, status: Status = STATUS) {
  const port = await freePort();
  const clock = new FakeClock({ nowMs: NOW, wallMs: WALL });
  const known = problems(clock, () => undefined);
  const stored = [change()];
  const seen: CertificatesSeen = {
    certificates: [inspected('site', { notAfter: '2027-01-02T00:00:00Z' })],
    findings: [{ id: 'disk', node: 'haproxy01', name: 'site', text: 'another one' }],
    atWallMs: WALL,
  };
  const metrics = startMetrics({
    pair: 'web',
    node: 'haproxy01',
    version: '0.1.0',
    addresses: [`127.0.0.1:${port}`],
    stored,
    clock,
    problems: known,
    status: () => status,
    peers: () => [heard(report('haproxy02'), { heardAtMs: NOW - 250, clockOffMs: -40 })],
    certificates: () => seen,
  });
  t.teardown(metrics.close);
  const scrape = async (path = '/metrics', method = 'GET') => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method });
    return {
      status: answer.status,
      type: answer.headers.get('content-type'),
      text: await answer.text(),
    };
  };
  return { metrics, scrape, stored };
}

/** Lines of the product's own series, without the labels that all carry. */
const series = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => line.startsWith('proxyctl_'))
    .map((line) => line.replace(/,?pair="web",node="haproxy01",?/, '').replace('{}', ''));

test('what is, is told as gauges under conventional names', async (t) => {
  const { scrape } = await world(t);
  const { status, type, text } = await scrape();
  t.deepEqual([status, type], [200, 'text/plain; version=0.0.4; charset=utf-8']);
  const counted = /_(total|bucket|sum|count)\b/;
  t.deepEqual(
    series(text).filter((line) => !counted.test(line)),
    [
      `proxyctl_build_info{version="0.1.0",node_version="${process.versions.node}"} 1`,
      'proxyctl_address_carp_state{address="1@wan",state="MASTER"} 1',
      'proxyctl_address_carp_state{address="1@wan",state="BACKUP"} 0',
      'proxyctl_address_carp_state{address="1@wan",state="INIT"} 0',
      'proxyctl_address_carp_state{address="1@wan",state="unknown"} 0',
      'proxyctl_address_owner{address="1@wan",owner="haproxy01"} 1',
      'proxyctl_address_advskew{address="1@wan"} 10',
      'proxyctl_carp_demotion 0',
      'proxyctl_fenced 0',
      'proxyctl_joined 1',
      'proxyctl_health{health="serving"} 1',
      'proxyctl_health{health="degraded"} 0',
      'proxyctl_health{health="partly"} 0',
      'proxyctl_health{health="unknown"} 0',
      'proxyctl_health{health="down"} 0',
      'proxyctl_haproxy_state{state="up"} 1',
      'proxyctl_haproxy_state{state="stopping"} 0',
      'proxyctl_haproxy_state{state="unknown"} 0',
      'proxyctl_haproxy_state{state="hung"} 0',
      'proxyctl_haproxy_state{state="down"} 0',
      'proxyctl_haproxy_sessions 7',
      'proxyctl_haproxy_older_processes 0',
      'proxyctl_haproxy_frontend_open{frontend="web"} 1',
      'proxyctl_haproxy_backend_servers_up{backend="GITEA"} 1',
      'proxyctl_haproxy_backend_servers_up{backend="WEB"} 3',
      'proxyctl_haproxy_drifted_servers 0',
      'proxyctl_peer_heard{peer="haproxy02"} 1',
      'proxyctl_peer_gossip_age_seconds{peer="haproxy02"} 0.25',
      'proxyctl_peer_one_way{peer="haproxy02",deaf="it"} 0',
      'proxyctl_peer_one_way{peer="haproxy02",deaf="we"} 0',
      'proxyctl_peer_clock_offset_seconds{peer="haproxy02"} -0.04',
      'proxyctl_automation_paused 1',
      'proxyctl_maintenance 1',
      'proxyctl_server_wishes{wish="drain"} 1',
      'proxyctl_server_wishes{wish="maint"} 0',
      'proxyctl_server_wishes{wish="weight"} 0',
      'proxyctl_server_wish_oldest_seconds{wish="drain"} 90',
      'proxyctl_server_wish_oldest_seconds{wish="maint"} 0',
      'proxyctl_server_wish_oldest_seconds{wish="weight"} 0',
      'proxyctl_alerts{severity="fail"} 0',
      'proxyctl_alerts{severity="warn"} 1',
      'proxyctl_alerts{severity="unknown"} 0',
      String.raw`proxyctl_alert{id="server-gone",severity="warn",subject="WEB/\"x\\\n",about="haproxy02"} 1`,
      String.raw`proxyctl_alert_start_timestamp_seconds{id="server-gone",subject="WEB/\"x\\\n",about="haproxy02"} 1799999970`,
      'proxyctl_certificate_not_after_timestamp_seconds{certificate="site"} 1798848000',
      'proxyctl_certificate_finding{certificate="site",finding="disk"} 1',
      'proxyctl_drill_timestamp_seconds{kind="haproxy"} 1799999998',
      'proxyctl_drill_timestamp_seconds{kind="agent"} 1799999995',
      'proxyctl_drill_passed{kind="haproxy"} 1',
      'proxyctl_drill_dark_seconds{kind="haproxy"} 0.042',
      'proxyctl_certificates_read_timestamp_seconds 1800000000',
    ],
  );
});

test('moves are counted by cause from what was new since the start, dark times and durations as histograms', async (t) => {
  const { metrics, scrape, stored } = await world(t);
  metrics.carries(['1@wan']);
  metrics.carries(['1@wan']);
  metrics.history(stored);
  metrics.history([...stored, change({ cause: 'kernel' }), change({ cause: 'agent' })]);
  metrics.round();
  metrics.round();
  metrics.late(3);
  const moved = { vhid: 1, vips: [], from: 'a', to: 'b', sessions: null, pin: null } as const;
  metrics.ended('move', {
    outcome: 'reached',
    tookMs: 60,
    addresses: [
      { address: '1@wan', outcome: 'moved', darkMsMax: 15, ...moved },
      { address: '2@wan', outcome: 'already', darkMsMax: null, ...moved },
    ],
  });
  const { text } = await scrape();
  const wanted = /^proxyctl_(moves_total|decision_rounds_total|\w+_(sum|count))/;
  t.deepEqual(
    series(text).filter((line) => wanted.test(line) && !/act="(?!move)/.test(line)),
    [
      'proxyctl_decision_rounds_total 2',
      'proxyctl_loop_lag_seconds_sum 0.003',
      'proxyctl_loop_lag_seconds_count 1',
      'proxyctl_moves_total{address="1@wan",cause="agent"} 1',
      'proxyctl_moves_total{address="1@wan",cause="kernel"} 1',
      'proxyctl_moves_total{address="1@wan",cause="away"} 0',
      'proxyctl_move_dark_seconds_sum 0.015',
      'proxyctl_move_dark_seconds_count 1',
      'proxyctl_act_duration_seconds_sum{act="move",outcome="reached"} 0.06',
      'proxyctl_act_duration_seconds_count{act="move",outcome="reached"} 1',
    ],
  );
});

test('a thousand alerts are counted, and five hundred have a series', async (t) => {
  const [one] = STATUS.alerts;
  if (one === undefined) return t.fail();
  const alerts = Array.from({ length: 1000 }, (_, at) => ({ ...one, subject: `WEB/web${at}` }));
  const { scrape } = await world(t, { ...STATUS, alerts });
  const lines = series((await scrape()).text);
  t.true(lines.includes('proxyctl_alerts{severity="warn"} 1000'));
  t.is(lines.filter((line) => line.startsWith('proxyctl_alert{')).length, 500);
});

test('a report that is not there, or not fresh, has no series: nothing old is told as present', async (t) => {
  const silent = { node: 'haproxy01', peerClass: 'alive', ageMs: null } as const;
  const nodes = [{ ...silent, report: null, problem: 'it is starting' }];
  const { scrape } = await world(t, { ...STATUS, nodes });
  const told = series((await scrape()).text).filter((line) =>
    /_(health|address_\w+|fenced)\b/.test(line),
  );
  t.deepEqual(told, []);
});

test('anything but GET /metrics is refused', async (t) => {
  const { scrape } = await world(t);
  const { status: post } = await scrape('/metrics', 'POST');
  const { status: other, text } = await scrape('/');
  const { status: head, text: empty } = await scrape('/metrics', 'HEAD');
  t.deepEqual([post, other, text, head, empty], [405, 404, 'see /metrics\n', 200, '']);
});

test('a taken port is a problem with its holder, and is tried again', async (t) => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as AddressInfo;
  const clock = new FakeClock();
  let changed = (): void => undefined;
  const known = problems(clock, () => changed());
  const next = (): Promise<void> => new Promise((resolve) => (changed = resolve));
  const raised = next();
  const { close } = startMetrics({
    pair: 'web',
    node: 'haproxy01',
    version: '0.1.0',
    addresses: [`127.0.0.1:${port}`],
    stored: [],
    clock,
    problems: known,
    status: () => STATUS,
    peers: () => [],
    certificates: () => ({ certificates: [], findings: [], atWallMs: null }),
  });
  t.teardown(close);
  await raised;
  t.deepEqual(
    known.list().map(({ subject, cause, remedy }) => ({ subject, cause, remedy })),
    [
      {
        subject: 'metrics',
        cause: `no metrics: it cannot listen on 127.0.0.1:${port}: the port is taken (EADDRINUSE)`,
        remedy: `sockstat -l -p ${port} shows the holder; retried every 5 s`,
      },
    ],
  );
  holder.close();
  await once(holder, 'close');
  const cleared = next();
  void clock.advance(5000);
  await cleared;
  t.deepEqual(known.list(), []);
});
