import { resolveSwap, type SwapStanding } from '../core/certs/swap.ts';
import type { PushEntry } from '../core/deploy/push-messages.ts';
import type { Member } from '../core/member.ts';
import { sentence } from '../core/words.ts';
import { looks } from './looks.ts';
import type { NodePush } from '../deploy/node.ts';
import type { Log } from '../log.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';

const REMEDY = 'tried again every 5 s; proxyctl config history, proxyctl config diff';

/** What of another node is asked here. */
type Peer = Pick<Member, 'node' | 'pushState' | 'pushStep'>;

export interface PushRecoveryOptions {
  readonly node: string;
  readonly push: Pick<NodePush, 'open' | 'complete' | 'back' | 'forget'>;
  readonly peers: readonly Peer[];
  /** Pushes that this agent carries out now. */
  readonly running: ReadonlySet<string>;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info'>;
  readonly problems: Pick<Problems, 'raise' | 'clear'>;
}

/**
 * Brings a push that nobody carries out any more to its end: after a stop or a crash of this agent
 * or of the one that coordinated, and what could not be put back. Looked at every 5 s, and at once
 * by `again`; core/certs/swap.ts decides, as of a certificate.
 */
export function recoverPushes(options: PushRecoveryOptions) {
  const { push, clock, problems, running } = options;
  let since: { readonly id: string; readonly atMs: number } | null = null;

  async function look(): Promise<void> {
    const entry = await push.open();
    if (entry === null || running.has(entry.pushId)) {
      problems.clear('push');
      return;
    }
    if (since?.id !== entry.pushId) since = { id: entry.pushId, atMs: clock.nowMs() };
    const cause = await bringToEnd(options, entry, clock.nowMs() - since.atMs);
    if (cause === '') problems.clear('push');
    else problems.raise('push', cause, REMEDY);
  }

  return looks(clock, () =>
    look().catch((error: unknown) => problems.raise('push', sentence(error), REMEDY)),
  );
}

/** Why it is still open, empty when it is not or somebody carries it out. */
async function bringToEnd(
  { node, push, peers, log }: PushRecoveryOptions,
  { pushId, number, phase, decided, coordinator, members }: PushEntry,
  openMs: number,
): Promise<string> {
  const others = peers.filter((peer) => members.includes(peer.node));
  const standings = await Promise.all(
    others.map(async (peer) => ({
      node: peer.node,
      coordinator: peer.node === coordinator,
      standing: await peer.pushState(pushId, number).catch((): SwapStanding | null => null),
    })),
  );
  const mine = coordinator === node;
  // What another node has once said is true although it may be silent now.
  const found = decided
    ? ({ act: 'complete', because: 'another node has it' } as const)
    : resolveSwap({ phase, coordinator: mine, others: standings, openMs });
  const what = `the push of version ${number} of HAProxy's configuration`;
  const note = (outcome: string): void =>
    log.info('push', { push_id: pushId, number, phase, outcome }, found.because);
  switch (found.act) {
    case 'wait':
      return standings.some(({ standing }) => standing?.running === true)
        ? ''
        : `${what} waits: ${found.because}`;
    case 'complete':
      await push.complete(pushId);
      note('completed');
      return '';
    case 'abort': {
      await push.back(pushId);
      if (phase !== 'aborted') note('aborted');
      if (!mine) return '';
      const silent: string[] = [];
      // One after the other: never two of them on their way at once.
      for (const peer of others)
        await peer.pushStep(pushId, 'back').catch(() => silent.push(peer.node));
      if (silent.length > 0)
        return `${silent.join(', ')} did not confirm that ${what} was taken back`;
      await push.forget(pushId);
      return '';
    }
  }
}
