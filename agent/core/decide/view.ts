import type { Intents } from '../intents.ts';
import type { NodeView, PathReading, Policy, Received } from '../model.ts';
import type { Timing } from '../timing.ts';

/** What one node sees of all, at one moment. */
export interface View {
  readonly self: string;
  /** Every configured node, this one included. */
  readonly nodes: readonly NodeView[];
  readonly intents: Intents;
  readonly policy: Policy;
  readonly timing: Timing;
  /** Echo to peers and witnesses, as this host sees it. */
  readonly paths: readonly PathReading[];
  /** When this loop last ran late; null: never. It accuses nobody for a while. */
  readonly lateAtMs: number | null;
  /** net.inet.carp.allow; null: unknown. */
  readonly allow: boolean | null;
  /** This agent has fenced its host and not lifted it. */
  readonly fenceMine: boolean;
  /** Advert counters, read only while adverts are thought lost; null: unknown. */
  readonly received: Received | null;
  /** For the ends of intents only. */
  readonly wallMs: number;
  /** Addresses whose pinned node has been MASTER since the pin was stored. */
  readonly reachedPins: ReadonlySet<string>;
}
