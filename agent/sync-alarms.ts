import { certificateKey, parseCertificateKey } from './core/intents.ts';
import type { InspectedCertificate } from './core/certificate-acts.ts';
import type { Intent } from './core/model.ts';
import type { Problems } from './problems.ts';
import type { Clock } from './sys/clock.ts';

/** Heartbeats compare what was decided ten times a second: what differs for so long does not get through. */
const DIFFERS_MS = 60_000;
/** So long a node may be silent, as in a restart, before it is missed here; "not heard" comes at once. */
const SILENT_MS = 120_000;
const LOOK_MS = 10_000;

export interface SyncAlarmOptions {
  readonly node: string;
  readonly peers: readonly string[];
  /** Since when the peer's heartbeats tell of other decisions than ours, on the monotonic clock; null: they do not. */
  readonly differsSinceMs: (peer: string) => number | null;
  /** All that was decided, taken back or not. */
  readonly intents: () => readonly Intent[];
  readonly clock: Clock;
  readonly problems: Problems;
}

/** A problem for each peer that is heard and, for a minute, does not take what was decided here; looked at every 10 s. */
export function syncAlarms(options: SyncAlarmOptions): { stop(): void } {
  const { node, peers, clock, problems } = options;
  const raised = new Set<string>();
  let cancel = (): void => {};

  function look(): void {
    for (const peer of peers) {
      const since = options.differsSinceMs(peer);
      const subject = `sync ${peer}`;
      if (since === null) {
        if (raised.delete(subject)) problems.clear(subject);
      } else if (clock.nowMs() - since >= DIFFERS_MS && !raised.has(subject)) {
        raised.add(subject);
        problems.raise(
          subject,
          `${peer} does not confirm what was decided on ${node}${lastOf(options.intents())}`,
          `date on both hosts; proxyagent.log on ${peer}; there: service proxyagent restart`,
        );
      }
    }
    cancel = clock.after(LOOK_MS, look);
  }
  look();
  return { stop: () => cancel() };
}

/** The newest decision, which is the one most likely to be missed. */
function lastOf(intents: readonly Intent[]): string {
  const [last] = intents.toSorted((a, b) => b.stamp.wallMs - a.stamp.wallMs);
  if (last === undefined) return '';
  const name = parseCertificateKey(last.key);
  const what = name === null ? last.key.replace(/^(acme)\/.*/s, '$1') : `certificate ${name}`;
  return `; the last: ${what}, by ${last.actor}`;
}

/** What one node said of its certificates, or why it said nothing. */
interface Asked {
  readonly node: string;
  readonly problem: string;
  readonly certificates: readonly InspectedCertificate[];
}

/** A decided version that a node has not confirmed. */
interface Missing {
  /** Of the alarm. */
  readonly subject: string;
  readonly text: string;
  readonly remedy: string;
}

/**
 * Remembers which versions every peer said it has. `missing`: of the certificates in use here those
 * whose decided version a peer has not confirmed and cannot, because it is silent for two minutes.
 * What a peer that answers has is said by that peer.
 */
export function confirmations(clock: Clock) {
  const confirmed = new Map<string, ReadonlyMap<string, string | null>>();
  const silentSinceMs = new Map<string, number>();

  const missingOf = (peer: string, one: InspectedCertificate, wanted: Intent): Missing[] =>
    confirmed.get(peer)?.get(one.name) === wanted.value
      ? []
      : [
          {
            subject: `certificate-sync ${one.name} on ${peer}`,
            text: `${peer} has not confirmed the ${one.path} that ${wanted.actor} pushed: it gives no answer`,
            remedy: `on ${peer}: service proxyagent status; service haproxy status; it catches up by itself`,
          },
        ];

  return {
    missing(
      here: readonly InspectedCertificate[],
      peers: readonly Asked[],
      intents: readonly Intent[],
    ): Missing[] {
      return peers.flatMap(({ node: peer, problem, certificates }) => {
        if (problem === '') {
          silentSinceMs.delete(peer);
          confirmed.set(peer, new Map(certificates.map(({ name, sha256 }) => [name, sha256])));
          return [];
        }
        const since = silentSinceMs.get(peer) ?? clock.nowMs();
        silentSinceMs.set(peer, since);
        if (clock.nowMs() - since < SILENT_MS) return [];
        return here.flatMap((one) => {
          const wanted = intents.find(({ key }) => key === certificateKey(one.name));
          return wanted === undefined ? [] : missingOf(peer, one, wanted);
        });
      });
    },
  };
}
