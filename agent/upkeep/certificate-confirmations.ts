import { certificateKey } from '../core/intents.ts';
import type { InspectedCertificate } from '../core/answers.ts';
import type { Intent } from '../core/model.ts';
import type { Clock } from '../sys/clock.ts';

/** So long a node may be silent, as in a restart, before it is missed here; "not heard" comes at once. */
const SILENT_MS = 120_000;

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
        const decided = new Map(intents.map((intent) => [intent.key, intent]));
        return here.flatMap((one) => {
          const wanted = decided.get(certificateKey(one.name));
          return wanted === undefined ? [] : missingOf(peer, one, wanted);
        });
      });
    },
  };
}
