import { ActFailure } from '../../agent/core/results.ts';
import { systemClock, type Clock } from '../../agent/sys/clock.ts';
import { verbsOf } from '../scripted.ts';
import { emptyResult, emptyStatus } from '../rpc/world.ts';
import { fuzzedNode, type Place } from './node.ts';

// haproxy01 in a process of its own, with verbs that do nothing.
export interface Figures {
  readonly heap: number;
  readonly connections: Readonly<Record<string, number>>;
  /** It takes part, and so does haproxy02. */
  readonly joined: boolean;
  /** Every class that haproxy02 has had since it was first alive. */
  readonly classes: readonly string[];
  readonly linksClosed: number;
  /** Verbs that failed in a way they should not. */
  readonly internalErrors: readonly string[];
  /** What the log of an agent is told of refusals, by why. */
  readonly refusals: Readonly<Record<string, number>>;
}

let ahead = 0;
const clock: Clock = { ...systemClock, nowMs: () => systemClock.nowMs() + ahead };
const classes = new Set<string>();
const internalErrors: string[] = [];
const refusals = new Map<string, number>();
const act = () => Promise.resolve(emptyResult);
const look = () =>
  Promise.reject(new ActFailure('conflict', { code: 'fuzz', message: 'nothing to see' }));

const { running, server, counts, reach } = await fuzzedNode(
  JSON.parse(process.argv[2] ?? '') as Place,
  {
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
      readConfig: look,
      checkConfig: look,
      configVersions: look,
      pushConfig: act,
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
      drill: act,
      drillSeen: act,
    }),
  },
);

setInterval(() => {
  for (const { peerClass } of running.gossip.peers(systemClock.nowMs()))
    if (classes.size > 0 || peerClass === 'alive') classes.add(peerClass);
}, 50);

process.on('message', (asked: string | { readonly peer: string }) => {
  if (typeof asked !== 'string') return reach(asked.peer);
  // Of the limits of connections: a minute and a half passes.
  if (asked === 'later') ahead += 90_000;
  globalThis.gc?.();
  const figures: Figures = {
    heap: process.memoryUsage().heapUsed + process.memoryUsage().external,
    connections: server.connections(),
    joined: running.view().every(({ report }) => report?.joined === true),
    classes: [...classes],
    linksClosed: counts().linksClosed,
    internalErrors,
    refusals: Object.fromEntries(refusals),
  };
  process.send?.(figures);
});
process.on('disconnect', () => process.exit());
process.send?.(server.addresses[0] ?? '');
