import { sentence } from '../../agent/core/words.ts';
import { reachOne } from '../connect/client.ts';
import type { Context, Target } from '../connect/contexts.ts';
import { readKey } from '../connect/passphrase.ts';

/** How one address of an agent answered. */
export interface Tried {
  /** Empty for a socket whose node the context does not name. */
  readonly node: string;
  readonly address: string;
  /** Of the agent there; null: it did not answer, or does not say. */
  readonly version: string | null;
  readonly tookMs: number;
  /** Why it did not answer; empty where it did. */
  readonly problem: string;
}

const EACH_MS = 3000;

/** Asks for a status at every address of every agent, all at once, 3 s each. Never rejects. */
export async function tryAgents({ targets }: Context): Promise<Tried[]> {
  const [first] = targets;
  // A passphrase is asked for before, not by all of them at once.
  if (first?.kind === 'tls') await readKey(first.key).catch(() => undefined);
  return Promise.all(targets.map(tryOne));
}

async function tryOne(target: Target): Promise<Tried> {
  const startedMs = performance.now();
  const address = target.kind === 'tls' ? target.address : target.path;
  const ended = (problem: string, version: string | null): Tried => {
    const tookMs = Math.round(performance.now() - startedMs);
    return { node: target.node ?? '', address, version, tookMs, problem };
  };
  try {
    const agent = await reachOne(target, EACH_MS);
    try {
      const status = await agent.status();
      const own = status.nodes.find(({ node }) => node === status.node);
      return ended('', own?.report?.agentVersion ?? null);
    } finally {
      agent.close();
    }
  } catch (error) {
    return ended(sentence(error), null);
  }
}
