import { join } from 'node:path';
import { TIMINGS } from '../../agent/core/timing.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { gossip } from '../../agent/gossip/gossip.ts';
import { startServer } from '../../agent/rpc/server.ts';
import { createTls } from '../../agent/rpc/tls.ts';
import type { TlsPaths } from '../../agent/rpc/tls-files.ts';
import { systemClock, type Clock } from '../../agent/sys/clock.ts';
import { memberOf, NO_AUDIT, verbsOf } from '../scripted.ts';
import { emptyResult, emptyStatus } from '../rpc/world.ts';

// haproxy01 in a process of its own, with real gossip and with verbs that do nothing.
export interface Figures {
  readonly heap: number;
  readonly connections: Readonly<Record<string, number>>;
  /** Every class that haproxy02 has had since it was first alive. */
  readonly classes: readonly string[];
  readonly linksClosed: number;
  /** The longest time between two messages of haproxy02, ms. */
  readonly longestSilenceMs: number;
  /** Verbs that failed in a way they should not. */
  readonly internalErrors: readonly string[];
  /** What the log of an agent is told of refusals, by why. */
  readonly refusals: Readonly<Record<string, number>>;
}

const [paths = '', folder = ''] = process.argv.slice(2);
let ahead = 0;
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + ahead };
const one = gossip({
  node: 'haproxy01',
  pair: 'web',
  agentVersion: '0.1.0',
  epoch: 1,
  startId: 1,
  peers: ['haproxy02'],
  timing: TIMINGS.calm,
  clock: systemClock,
  transport: { send: () => true },
  intents: new Map(),
  onIntents: () => undefined,
  onChange: () => undefined,
  onRefused: () => undefined,
});
const classes = new Set<string>();
const internalErrors: string[] = [];
const refusals = new Map<string, number>();
let linksClosed = 0;
let heardMs = 0;
let longestSilenceMs = 0;
const act = () => Promise.resolve(emptyResult);
const look = () =>
  Promise.reject(new ActFailure('conflict', { code: 'fuzz', message: 'nothing to see' }));

const server = await startServer({
  listen: ['127.0.0.1:0'],
  socket: { path: join(folder, 'fuzz.sock'), group: 'nogroup', role: 'operator' },
  tls: createTls(JSON.parse(paths) as TlsPaths, 'web', 'haproxy01', systemClock),
  pair: 'web',
  node: 'haproxy01',
  peers: ['haproxy02'],
  audit: NO_AUDIT,
  clock,
  notices: {
    refused: (who, method, why) => {
      const text = `${who.replaceAll(/\d+/g, 'N')}, ${method}: ${why.replaceAll(/\d+/g, 'N')}`;
      refusals.set(text, (refusals.get(text) ?? 0) + 1);
    },
    failed: (method, error) => {
      if (internalErrors.length < 20) internalErrors.push(`${method}: ${String(error)}`);
    },
  },
  control: verbsOf({
    status: () => Promise.resolve(emptyStatus),
    explain: look,
    history: look,
    doctor: look,
    servers: look,
    show: look,
    certificates: look,
    audit: look,
    events: look,
    testNotify: look,
    move: act,
    setMaintenance: act,
    setAutomation: act,
    setServers: act,
    setWeights: act,
    setChallenge: act,
    pushCertificate: act,
    rollbackCertificates: act,
    publishRevocations: act,
  }),
  member: memberOf('haproxy01'),
  fromPeers: {
    hello: one.hello,
    receive(node, message) {
      const nowMs = systemClock.nowMs();
      if (heardMs > 0) longestSilenceMs = Math.max(longestSilenceMs, nowMs - heardMs);
      heardMs = nowMs;
      one.receive(node, message);
    },
    opened: () => undefined,
    closed(node) {
      linksClosed += 1;
      one.gone(node, 'its link was closed');
    },
    storeIntents: () => Promise.resolve([]),
  },
});

setInterval(() => {
  for (const { peerClass } of one.peers(systemClock.nowMs()))
    if (classes.size > 0 || peerClass === 'alive') classes.add(peerClass);
}, 50);

process.on('message', (asked) => {
  // Of the limits of connections: a minute and a half passes.
  if (asked === 'later') ahead += 90_000;
  globalThis.gc?.();
  const figures: Figures = {
    heap: process.memoryUsage().heapUsed + process.memoryUsage().external,
    connections: server.connections(),
    classes: [...classes],
    linksClosed,
    longestSilenceMs,
    internalErrors,
    refusals: Object.fromEntries(refusals),
  };
  process.send?.(figures);
});
process.on('disconnect', () => process.exit());
process.send?.(server.addresses[0] ?? '');
