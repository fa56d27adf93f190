import { ActFailure } from '../core/results.ts';
import type { Member } from '../core/member.ts';
import type { Intent } from '../core/model.ts';
import { resolveSwap, type SwapStanding } from '../core/certs/swap.ts';
import { sentence } from '../core/words.ts';
import { looks, type Looks } from './looks.ts';
import type { SwapEntry } from '../certs/entry.ts';
import type { NodeSwap } from '../certs/swap.ts';
import type { Log } from '../log.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import { swapIntents } from '../verbs/swap.ts';

/** What of another node is asked here. */
type Peer = Pick<Member, 'node' | 'swapState' | 'swapAbort'>;

export interface RecoveryOptions {
  readonly node: string;
  readonly swap: Pick<NodeSwap, 'open' | 'complete' | 'abort' | 'finish' | 'forget'>;
  readonly peers: readonly Peer[];
  /** Swaps that this agent carries out now. */
  readonly running: ReadonlySet<string>;
  readonly storeIntents: (intents: readonly Intent[]) => Promise<unknown>;
  /** Something of HAProxy's certificates has changed. */
  readonly changed: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly problems: Problems;
}

/**
 * Brings swaps that nobody carries out any more to their end: after a stop or a crash of this
 * agent or of the one that coordinated, and what could not be put back while HAProxy was away.
 * Looked at every 5 s; core/swap.ts decides.
 */
export function recoverSwaps(options: RecoveryOptions): Looks {
  const { swap, clock, log, problems, running } = options;
  const since = new Map<string, number>();

  async function look(): Promise<void> {
    const causes: string[] = [];
    const { entries, damaged } = await swap.open();
    for (const id of since.keys())
      if (!entries.some(({ swapId }) => swapId === id)) since.delete(id);
    for (const entry of entries) {
      if (running.has(entry.swapId)) continue;
      const cause = await bringToEnd(options, entry, openMs(entry.swapId)).catch(sentence);
      if (cause !== '') causes.push(cause);
    }
    // A damaged one is set aside and named once: it stays said until the agent starts again.
    for (const { message } of damaged) {
      log.warn('alert', { id: 'problem', subject: 'journal', state: 'raised' }, message);
      problems.raise('journal', message, 'compare disk, memory and peer: proxyctl cert verify');
    }
    if (causes.length === 0) problems.clear('swap');
    else problems.raise('swap', causes.join('; '), 'tried again every 5 s; proxyctl cert verify');
  }

  function openMs(swapId: string): number {
    const at = since.get(swapId) ?? clock.nowMs();
    since.set(swapId, at);
    return clock.nowMs() - at;
  }

  return looks(clock, () =>
    look().catch((error: unknown) =>
      problems.raise('swap', sentence(error), 'proxyctl cert verify'),
    ),
  );
}

/** One open swap; why it is still open, empty when it is not or somebody carries it out. */
async function bringToEnd(
  options: RecoveryOptions,
  entry: SwapEntry,
  openMs: number,
): Promise<string> {
  const { node, swap, peers, log } = options;
  const { swapId, phase, coordinator } = entry;
  const others = peers.filter((peer) => entry.members.includes(peer.node));
  const standings = await Promise.all(
    others.map(async (peer) => ({
      node: peer.node,
      coordinator: peer.node === coordinator,
      standing: await standingOf(peer, swapId),
    })),
  );
  const found = resolveSwap({
    phase,
    coordinator: coordinator === node,
    others: standings,
    openMs,
  });
  const paths = entry.items.map(({ path }) => path).join(', ');
  const note = (outcome: string): void =>
    log.info('swap', { swap_id: swapId, path: paths, phase, outcome }, found.because);
  switch (found.act) {
    case 'wait':
      return standings.some(({ standing }) => standing?.running === true)
        ? ''
        : `swap of ${paths} waits: ${found.because}`;
    case 'complete': {
      const done = await swap.complete(swapId);
      if (done === null) return '';
      await options.storeIntents(swapIntents(done.items, done));
      await swap.finish(swapId);
      note('completed');
      await options.changed();
      return '';
    }
    case 'abort': {
      await swap.abort(swapId);
      if (phase !== 'aborted') {
        note('aborted');
        await options.changed();
      }
      if (coordinator !== node) return '';
      const silent = (await Promise.all(others.map((peer) => takeBack(peer, swapId)))).flat();
      if (silent.length > 0)
        return `${silent.join(', ')} did not confirm that a swap was taken back`;
      await swap.forget(swapId);
      return '';
    }
  }
}

async function standingOf(peer: Peer, swapId: string): Promise<SwapStanding | null> {
  try {
    return await peer.swapState(swapId);
  } catch {
    return null;
  }
}

/** Its name where it did not confirm. */
async function takeBack(peer: Peer, swapId: string): Promise<string[]> {
  try {
    await peer.swapAbort(swapId);
    return [];
  } catch (error) {
    const gone = error instanceof ActFailure && error.outcome === 'not-found';
    return gone ? [] : [peer.node];
  }
}
