import type { Issuer } from '../acme/issuer.ts';
import { certificateAlarms } from './certificate-alarms.ts';
import { catchUp } from './catch-up.ts';
import { rfc3339 } from '../certs/certificate.ts';
import type { HostCertificates } from '../certs/host-certificates.ts';
import type { CertificatesSeen } from '../core/certs/certificates.ts';
import type { Intents } from '../core/intents.ts';
import type { Member } from '../core/member.ts';
import type { Intent } from '../core/model.ts';
import type { InspectedCertificate } from '../core/answers.ts';
import { sentence } from '../core/words.ts';
import type { Haproxy } from '../haproxy/haproxy.ts';
import type { Log } from '../log.ts';
import type { Problems } from '../problems.ts';
import { recoverSwaps } from './swap-recovery.ts';
import type { Clock } from '../sys/clock.ts';

export interface CertificateUpkeepOptions {
  readonly node: string;
  readonly haproxy: Pick<Haproxy, 'report' | 'reread'>;
  readonly certificates: Pick<HostCertificates, 'swap' | 'swapParts'>;
  /** This node first. */
  readonly members: readonly Member[];
  readonly running: ReadonlySet<string>;
  readonly intents: () => Intents;
  readonly storeIntents: (intents: readonly Intent[]) => Promise<unknown>;
  readonly alarmDays: readonly number[];
  readonly clock: Clock;
  readonly log: Log;
  readonly problems: Problems;
}

export interface CertificateUpkeep {
  /** A peer or HAProxy is back, or something was decided: look now. */
  readonly wake: () => void;
  readonly seen: () => CertificatesSeen;
  stop(): void;
}

/**
 * Everything that is done for certificates without being asked: swaps that were cut off are ended
 * first, then what a killed agent left beside certificates goes, then what differs is brought to the
 * decided version; alarms come from a reading of their own.
 */
export function certificateUpkeep(options: CertificateUpkeepOptions): CertificateUpkeep {
  const { haproxy, certificates, members, alarmDays, storeIntents, intents, ...rest } = options;
  const { swap, swapParts } = certificates;
  const { problems } = rest;
  const shared = { ...rest, swap, changed: () => haproxy.reread() };
  const recovery = recoverSwaps({ ...shared, peers: members.slice(1), storeIntents });
  const catching = catchUp({ ...shared, parts: swapParts, members, intents });
  const alarms = certificateAlarms({
    ...rest,
    members,
    intents: () => [...intents().values()].filter(({ deleted }) => !deleted),
    busy: () => options.running.size > 0,
    alarmDays,
  });
  let tidied = false;
  /** Until it was done once: what this agent stages itself it removes itself. */
  const tidy = async (): Promise<void> => {
    try {
      tidied = await swap.tidy();
      problems.clear('leftovers');
    } catch (error) {
      // HAProxy away is said elsewhere, and it is tried again when it is back.
      if (haproxy.report().state !== 'up') return;
      problems.raise('leftovers', sentence(error), 'look for .NAME.proxyctl beside certificates');
    }
  };
  const mend = async (): Promise<void> => {
    await recovery.again();
    if (!tidied) await tidy();
    await catching.again();
  };
  void mend().then(() => alarms.again());
  return {
    wake() {
      alarms.soon();
      void mend();
    },
    seen: () => alarms.seen(),
    stop() {
      recovery.stop();
      catching.stop();
      alarms.stop();
    },
  };
}

/** The certificates with when each is ordered anew. */
export const withRenewals = (
  certificates: readonly InspectedCertificate[],
  issuer: Issuer | null,
): InspectedCertificate[] =>
  certificates.map((one) => {
    const atMs = issuer?.renewal(one.path) ?? null;
    return { ...one, renewal: atMs === null ? '' : rfc3339(Math.max(0, atMs)) };
  });
