import { confirmations } from './certificate-confirmations.ts';
import { certificateFindings, nextAlarmMs } from '../core/certs/certificates.ts';
import type { CertificateFinding, CertificatesSeen } from '../core/certs/certificates.ts';
import type { Member } from '../core/member.ts';
import type { Intent } from '../core/model.ts';
import { sentence } from '../core/words.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';

interface Alarm {
  readonly text: string;
  readonly remedy: string;
  /** No second look is needed. */
  readonly sure: boolean;
}

/** Alarms have to come within five minutes; a reading costs one command for each certificate. */
const LOOK_MS = 60_000;
/** What differs is looked at again this soon: a swap that is under way is no alarm. */
const AGAIN_MS = 10_000;
/** After something that may have changed a certificate, and while one is being swapped. */
const SOON_MS = 1000;
/** A look that takes long is repeated for that no sooner than so many times as long. */
const SHARE = 5;

export interface AlarmOptions {
  readonly node: string;
  /** This node first. */
  readonly members: readonly Pick<Member, 'node' | 'inspectCertificates'>[];
  readonly intents: () => readonly Intent[];
  /** A swap is under way: differences are no finding now. */
  readonly busy: () => boolean;
  readonly alarmDays: readonly number[];
  readonly clock: Clock;
  readonly problems: Problems;
}

export interface CertificateAlarms {
  again(): Promise<void>;
  /** A certificate may be another one: looks in a second, however often it is said. */
  soon(): void;
  /** Without asking anybody. */
  seen(): CertificatesSeen;
  stop(): void;
}

/** It stands in the certificate: no swap that is under way makes it so for a moment. */
const isOfDates = ({ id }: Pick<CertificateFinding, 'id'>): boolean =>
  id === 'expired' || id === 'expiry';

const remedyOf = ({ id, name }: Pick<CertificateFinding, 'id' | 'name'>): string =>
  isOfDates({ id })
    ? `renew it, then: proxyctl cert push FILE --as ${name}`
    : `proxyctl cert list; push the wanted one: proxyctl cert push FILE --as ${name}`;

/**
 * Once a minute, and at the moment one of `alarmDays` begins: certificates of this node that end
 * soon, as problems at once; those whose disk, memory, wire, decision or peer differ, once two looks
 * in a row found it; each goes when it is well again. And those of which a peer that is silent has
 * not confirmed the decided version.
 */
export function certificateAlarms(options: AlarmOptions): CertificateAlarms {
  const { node, members, clock, problems, alarmDays } = options;
  let stopped = false;
  let before = new Map<string, Alarm>();
  const peers = confirmations(clock);
  const raised = new Set<string>();
  let seen: CertificatesSeen = { certificates: [], findings: [], atWallMs: null };
  let cancel = (): void => {};
  /** When the next look is due, monotonic. */
  let dueMs = Infinity;
  let looking = false;
  let tookMs = 0;

  /** Whether a swap was in the way. */
  async function look(): Promise<boolean> {
    if (options.busy()) return true;
    const nodes = await Promise.all(
      members.map(async (member) => {
        const mine = member.node === node;
        try {
          const certificates = await member.inspectCertificates(mine);
          return { node: member.node, problem: '', certificates };
        } catch (error) {
          // That a peer, or HAProxy, cannot be asked is said elsewhere.
          return { node: member.node, problem: sentence(error), certificates: [] };
        }
      }),
    );
    if (options.busy()) return true;
    if (nodes.some((one) => one.node === node && one.problem !== '')) return false;
    const at = { wallMs: clock.wallMs(), alarmDays, endMs: Date.parse };
    const now = new Map<string, Alarm>();
    const findings = certificateFindings({ nodes, intents: options.intents() }, at).filter(
      (found) => found.node === node,
    );
    const certificates = nodes.find((one) => one.node === node)?.certificates ?? [];
    seen = { certificates, findings, atWallMs: at.wallMs };
    for (const found of findings)
      now.set(`certificate-${found.id} ${found.name}`, {
        text: found.text,
        remedy: remedyOf(found),
        sure: isOfDates(found),
      });
    for (const [subject, { text, remedy, sure }] of now) {
      if (!sure && before.get(subject)?.text !== text) continue;
      problems.raise(subject, text, remedy);
      raised.add(subject);
    }
    const [mine, ...others] = nodes;
    const missing = peers.missing(mine?.certificates ?? [], others, options.intents());
    for (const { subject, text, remedy } of missing) {
      problems.raise(subject, text, remedy);
      raised.add(subject);
    }
    const still = new Set([...now.keys(), ...missing.map(({ subject }) => subject)]);
    for (const subject of raised)
      if (!still.has(subject)) {
        problems.clear(subject);
        raised.delete(subject);
      }
    before = now;
    return false;
  }

  const again = async (): Promise<void> => {
    cancel();
    dueMs = Infinity;
    if (looking) return within(SOON_MS);
    looking = true;
    const startedMs = clock.nowMs();
    const busy = await look().catch((error: unknown) => {
      problems.raise('certificates', sentence(error), 'proxyctl cert list');
      return false;
    });
    looking = false;
    tookMs = clock.nowMs() - startedMs;
    if (busy) return within(SOON_MS);
    const wallMs = clock.wallMs();
    const ends = seen.certificates.map(({ notAfter }) => Date.parse(notAfter));
    const dayMs = nextAlarmMs(ends, wallMs, alarmDays) - wallMs;
    within(Math.min(dayMs, [...before.values()].every(({ sure }) => sure) ? LOOK_MS : AGAIN_MS));
  };
  /** Unless one is due before. */
  const within = (ms: number): void => {
    const atMs = clock.nowMs() + ms;
    if (stopped || atMs >= dueMs) return;
    cancel();
    dueMs = atMs;
    cancel = clock.after(ms, () => void again());
  };
  return {
    again,
    soon: () => within(Math.max(SOON_MS, tookMs * SHARE)),
    seen: () => seen,
    stop() {
      stopped = true;
      cancel();
    },
  };
}
