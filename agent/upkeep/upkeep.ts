import type { Issuer } from '../acme/issuer.ts';
import type { HostCertificates } from '../certs/host-certificates.ts';
import type { Config } from '../config/config.ts';
import type { CertificatesSeen } from '../core/certs/certificates.ts';
import { parseCertificateKey } from '../core/intents.ts';
import type { Intent } from '../core/model.ts';
import type { NodePush } from '../deploy/node.ts';
import type { Haproxy } from '../haproxy/haproxy.ts';
import type { Log } from '../log.ts';
import type { Wakeups } from '../loop/schedule.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import type { Pair } from '../verbs/pair.ts';
import { certificateUpkeep } from './certificates.ts';
import { recoverPushes } from './push-recovery.ts';
import { recoverDrills } from './drill-recovery.ts';

export interface Upkeep {
  /** Orders certificates; null where agent.toml names no CA. */
  readonly issuer: Issuer | null;
  /** The certificates of this node as they were last looked at. */
  readonly seen: () => CertificatesSeen;
  readonly stop: () => void;
}

/** Starts what is done without being asked: keeping certificates as decided, ordering them, ending drills that were cut short. */
export async function startUpkeep(options: {
  readonly config: Config;
  readonly pair: Pair;
  readonly haproxy: Pick<Haproxy, 'report' | 'reread'>;
  readonly certificates: Pick<HostCertificates, 'swap' | 'swapParts'>;
  readonly push: NodePush;
  readonly clock: Clock;
  readonly log: Log;
  readonly problems: Problems;
  readonly storeIntents: (intents: readonly Intent[]) => Promise<readonly Intent[]>;
  readonly onIntents: (listener: (taken: readonly Intent[]) => void) => void;
  /** Rung when a peer or HAProxy is back. */
  readonly wanted: Wakeups;
}): Promise<Upkeep> {
  const { config, pair, haproxy, certificates, clock, log, problems, wanted } = options;
  const kept = certificateUpkeep({
    node: pair.node,
    haproxy,
    certificates,
    members: pair.members,
    running: pair.runningSwaps,
    intents: () => pair.intents(),
    storeIntents: options.storeIntents,
    alarmDays: config.certificates.alarmDays,
    clock,
    log,
    problems,
  });
  const endDrills = recoverDrills(pair, log);
  const pushes = recoverPushes({
    node: pair.node,
    push: options.push,
    peers: pair.members.filter(({ node }) => node !== pair.node),
    running: pair.runningPushes,
    clock,
    log,
    problems,
  });
  void pushes.again();
  wanted.listen(() => {
    kept.wake();
    void pushes.again();
  });
  let issuer: Issuer | null = null;
  if (config.acme.directory !== '') {
    // Read at start, and only where it is wanted; one file with the rest in the package.
    const { issuing } = await import('./issuing.ts');
    const { swapParts: parts } = certificates;
    issuer = issuing({ pair, config: config.acme, parts, log, problems });
  }
  options.onIntents((taken) => {
    if (!taken.some(({ key }) => parseCertificateKey(key) !== null)) return;
    wanted.ring();
    issuer?.wake();
  });
  return {
    issuer,
    seen: kept.seen,
    stop() {
      endDrills();
      pushes.stop();
      kept.stop();
      issuer?.stop();
    },
  };
}
