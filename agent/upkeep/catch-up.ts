import { ActFailure } from '../core/results.ts';
import { inForce, parseCertificateKey, type Intents } from '../core/intents.ts';
import type { Member } from '../core/member.ts';
import type { Intent } from '../core/model.ts';
import { sentence } from '../core/words.ts';
import { readDisk } from '../certs/disk.ts';
import { describe } from '../certs/describe.ts';
import type { NodeSwap } from '../certs/swap.ts';
import type { HaproxyCertificates, NodeSwapParts } from '../certs/port.ts';
import type { Log } from '../log.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';

/** Without a reason to look earlier; a difference is an alarm well within five minutes. */
const LOOK_MS = 30_000;

export interface CatchUpOptions {
  readonly node: string;
  readonly parts: Pick<NodeSwapParts, 'map' | 'files' | 'placeOf'> & {
    readonly haproxy: Pick<HaproxyCertificates, 'loaded'>;
  };
  readonly swap: Pick<NodeSwap, 'open' | 'prepare' | 'commit' | 'finish'>;
  /** This node first. */
  readonly members: readonly Pick<Member, 'fetchBundle'>[];
  readonly intents: () => Intents;
  readonly running: ReadonlySet<string>;
  readonly changed: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info'>;
  readonly problems: Problems;
}

export interface CatchUp {
  /** Looks now; resolves once everything that could be brought to the decided version is. */
  again(): Promise<void>;
  stop(): void;
}

/**
 * Brings this node's certificates to the versions that were decided: after it was away, or after
 * its HAProxy was reloaded with an old file. The bundle comes from this node's disk or from a
 * peer, by its fingerprint, and goes through the same checks as a push. What somebody installed
 * by hand and is newer than the decided one is left, and said.
 */
export function catchUp(options: CatchUpOptions): CatchUp {
  const { clock, problems } = options;
  let stopped = false;
  let looking: Promise<void> | null = null;
  let again = false;
  let cancel = (): void => {};
  const raised = new Set<string>();

  async function look(): Promise<void> {
    // A swap that is under way is not drift: whoever ends it calls again.
    if (options.running.size > 0 || (await options.swap.open()).entries.some(isOpen)) return;
    for (const intent of options.intents().values()) {
      const name = parseCertificateKey(intent.key);
      if (name === null || !inForce(intent, clock.wallMs())) continue;
      const why = await bring(options, name, intent).catch(sentence);
      const subject = `certificate ${name}`;
      if (why === '') {
        if (raised.delete(subject)) problems.clear(subject);
        continue;
      }
      raised.add(subject);
      problems.raise(subject, why, 'proxyctl cert list; push the wanted one again');
    }
  }

  const start = (): Promise<void> => {
    cancel();
    again = looking !== null;
    looking ??= look()
      .catch((error: unknown) =>
        problems.raise('certificates', sentence(error), 'proxyctl cert list'),
      )
      .finally(() => {
        looking = null;
        if (stopped) return;
        if (again) void start();
        else cancel = clock.after(LOOK_MS, () => void start());
      });
    return looking;
  };

  return {
    again: start,
    stop() {
      stopped = true;
      cancel();
    },
  };
}

const isOpen = ({ phase }: { readonly phase: string }): boolean => phase !== 'aborted';

/** Brings one certificate to its decided version; why it is not, empty when it is. */
async function bring(options: CatchUpOptions, name: string, intent: Intent): Promise<string> {
  const { parts, swap, node, log } = options;
  const path = parts.map[name] ?? name;
  const memory = await parts.haproxy.loaded(path);
  // This HAProxy does not use it (any more): nothing to bring up to date.
  if (memory === null) return '';
  const disk = describe((await readDisk(parts, path)).text);
  // Not known what HAProxy has (cert list says so): the file is all that can be right.
  const right = memory.fingerprint === null || memory.fingerprint === disk?.sha1;
  if (disk?.sha256 === intent.value && right) return '';
  const pem = disk?.sha256 === intent.value ? disk.pem : await fetched(options, name, intent.value);
  if (pem === null) return 'it is not the decided version, and no node in touch has that one';
  const decided = describe(pem);
  if (decided?.sha256 !== intent.value) return 'what was fetched is not the decided version';
  if (disk !== null && disk.sha1 !== decided.sha1 && disk.notBefore > decided.notBefore)
    return 'the file is newer than the decided version: somebody installed it by hand';
  const swapId = `catch-up-${intent.value.slice(0, 16)}`;
  await swap.prepare({
    swapId,
    bundles: [{ path: name, pem }],
    dryRun: false,
    // Whoever pushed it has accepted what it lacks.
    acceptRisks: ['names-lost'],
    coordinator: node,
    members: [node],
    stamp: intent.stamp,
    actor: intent.actor,
    reason: intent.reason,
  });
  await swap.commit(swapId);
  await swap.finish(swapId);
  log.info(
    'swap',
    { swap_id: swapId, path, fingerprint: decided.sha1, outcome: 'caught-up' },
    `${path} is on the decided version`,
  );
  await options.changed();
  return '';
}

async function fetched(
  { members }: CatchUpOptions,
  name: string,
  sha256: string,
): Promise<string | null> {
  for (const member of members)
    try {
      return await member.fetchBundle(name, sha256);
    } catch (error) {
      if (!(error instanceof ActFailure)) throw error;
    }
  return null;
}
