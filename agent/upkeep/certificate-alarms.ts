import { confirmations } from './certificate-confirmations.ts';
import { certificateFindings } from '../core/certs/certificates.ts';
import type { CertificateFinding, CertificatesSeen } from '../core/certs/certificates.ts';
import type { Member } from '../core/member.ts';
import type { Intent } from '../core/model.ts';
import { sentence } from '../core/words.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';

interface Alarm {
  readonly text: string;
  readonly remedy: string;
}

/** Alarms have to come within five minutes; a reading costs one command for each certificate. */
const LOOK_MS = 60_000;
/** What differs is looked at again this soon: a swap that is under way is no alarm. */
const AGAIN_MS = 10_000;

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
  /** Without asking anybody. */
  seen(): CertificatesSeen;
  stop(): void;
}

const remedyOf = ({ id, name }: Pick<CertificateFinding, 'id' | 'name'>): string =>
  id === 'expired' || id === 'expiry'
    ? `renew it, then: proxyctl cert push FILE --as ${name}`
    : `proxyctl cert list; push the wanted one: proxyctl cert push FILE --as ${name}`;

/**
 * Once a minute: certificates of this node that end soon, or whose disk, memory, wire, decision
 * or peer differ, as problems once two looks in a row found it; each goes when it is well again.
 * And those of which a peer that is silent has not confirmed the decided version.
 */
export function certificateAlarms(options: AlarmOptions): CertificateAlarms {
  const { node, members, clock, problems, alarmDays } = options;
  let stopped = false;
  let before = new Map<string, Alarm>();
  const peers = confirmations(clock);
  const raised = new Set<string>();
  let seen: CertificatesSeen = { certificates: [], findings: [], atWallMs: null };
  let cancel = (): void => {};

  async function look(): Promise<void> {
    if (options.busy()) return;
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
    if (nodes.some((one) => one.node === node && one.problem !== '') || options.busy()) return;
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
      });
    for (const [subject, { text, remedy }] of now) {
      if (before.get(subject)?.text !== text) continue;
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
  }

  const again = async (): Promise<void> => {
    cancel();
    await look().catch((error: unknown) =>
      problems.raise('certificates', sentence(error), 'proxyctl cert list'),
    );
    const inMs = before.size > 0 ? AGAIN_MS : LOOK_MS;
    if (!stopped) cancel = clock.after(inMs, () => void again());
  };
  return {
    again,
    seen: () => seen,
    stop() {
      stopped = true;
      cancel();
    },
  };
}
