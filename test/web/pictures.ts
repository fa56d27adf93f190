import type { Picture } from '../../agent/web/picture.ts';
import { rateKey } from '../../agent/web/picture.ts';
import { eventLine } from '../../agent/core/events/event-lines.ts';
import type { PairEvent } from '../../agent/core/events/events.ts';
import { intent, serverReading } from '../core/builders.ts';
import { address, haproxy, inspected, NOW, report } from '../reports.ts';

export const WALL = Date.parse('2026-11-30T09:00:00Z');

const stamp = (agoMs: number) => ({ wallMs: WALL - agoMs, count: 0, node: 'haproxy01' });
const certificate = {
  path: '/c/site.pem',
  fingerprint: 'aa',
  notAfter: '2026-12-10T12:00:00Z',
  names: ['www.example.net', 'example.net'],
};

const event = (more: Partial<PairEvent>): PairEvent => ({
  id: 'haproxy01-1-1',
  time: '2026-11-30T08:58:00.000Z',
  node: 'haproxy01',
  kind: 'moved',
  severity: 'info',
  subject: '1@wan',
  text: '1@wan moved from haproxy02 to haproxy01',
  ...more,
});

/** A pair of which the second node is not heard, with something to see in every section. */
export const PICTURE: Picture = {
  nowMs: NOW,
  wallMs: WALL,
  status: {
    pair: 'web',
    node: 'haproxy01',
    paused: true,
    nodes: [
      {
        node: 'haproxy01',
        peerClass: 'alive',
        ageMs: 0,
        problem: '',
        report: report('haproxy01', {
          addresses: [
            address({ state: 'MASTER', advskew: 10, vips: ['10.1.60.200', 'fd5e::200'] }),
          ],
          haproxy: [haproxy({ sessions: 7, certificates: [certificate] })],
        }),
      },
      {
        node: 'haproxy02',
        peerClass: 'dead',
        ageMs: 61_000,
        problem: 'connection refused',
        report: report('haproxy02', { addresses: [address({ advskew: 100 })] }),
      },
    ],
    verdicts: [
      {
        address: '1@wan',
        owner: 'haproxy01',
        reason: 'haproxy02 is dead',
        sinceMs: NOW,
        pin: intent('pin/1@wan', 'haproxy01', { stamp: stamp(120_000), reason: 'a look' }),
      },
    ],
    intents: [
      intent('pause', 'on', { stamp: stamp(60_000) }),
      intent('maintenance/haproxy02', 'on', { stamp: stamp(60_000), reason: 'disk' }),
    ],
    alerts: [
      {
        id: 'not-heard',
        node: 'haproxy01',
        subject: 'haproxy02',
        severity: 'warn',
        text: 'connection refused',
        remedy: 'on haproxy02: service proxyagent status',
        sinceMs: NOW - 61_000,
      },
    ],
    newest: null,
  },
  servers: {
    node: 'haproxy01',
    nodes: [
      {
        node: 'haproxy01',
        problem: '',
        servers: [
          serverReading({ sessions: 5, queued: 1, total: 100 }),
          serverReading({ name: 'web2', status: 'DOWN', check: 'L4CON' }),
        ],
      },
      { node: 'haproxy02', problem: 'the agent on haproxy02 does not answer', servers: [] },
    ],
    intents: [intent('server//WEB/web1', 'drain', { stamp: stamp(60_000) })],
  },
  rates: new Map([[rateKey('haproxy01', 'WEB', 'web1'), 2.5]]),
  certificates: {
    certificates: [inspected('aa', { notAfter: '2026-12-10T12:00:00Z' })],
    findings: [{ id: 'disk', node: 'haproxy01', name: 'site', text: 'the file is another one' }],
    atWallMs: WALL,
  },
  events: {
    node: 'haproxy01',
    nodes: [
      { node: 'haproxy01', problem: '', leftOut: '' },
      { node: 'haproxy02', problem: 'the agent on haproxy02 does not answer', leftOut: '' },
    ],
    lines: [
      event({}),
      event({
        time: '2026-11-30T08:59:00.000Z',
        kind: 'alert-cleared',
        alert: 'degraded',
        severity: 'warn',
        text: 'WEB is up',
        lastedMs: 61_000,
        actor: 'anna',
      }),
    ].map((one) => ({ node: one.node, line: eventLine(one) })),
  },
};
