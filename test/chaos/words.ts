/** In a plan: whoever is it when the time comes. */
export const MASTER = 'MASTER';
export const BACKUP = 'BACKUP';

/** One thing that the nemesis or the operator does in an episode. */
export interface Step {
  /** After the episode began. */
  readonly atMs: number;
  readonly kind: 'fault' | 'verb';
  readonly name: string;
  /** A node, or MASTER or BACKUP; null: the whole lab, or a verb about none. */
  readonly node: string | null;
  /** How long a fault is on; a verb has none. */
  readonly lastsMs: number;
  /** A fault's --value. */
  readonly value: number | null;
}

/** A short storm of faults and verbs; everything is healed and looked at after it. */
export interface Episode {
  readonly number: number;
  readonly lengthMs: number;
  readonly steps: readonly Step[];
}

/** One request of the client. Unix ms. */
export interface Attempt {
  readonly atMs: number;
  /** `vip4`, `vip6`, or a node at its own address. */
  readonly to: string;
  /** Who answered; null: nobody. */
  readonly by: string | null;
  /** Of the answer, or of the failure. */
  readonly tookMs: number;
  readonly why: string;
  /** How much later than meant it began: the machine's fault, not the pair's. */
  readonly lateMs: number;
}

/** A long session of the client that has ended. Unix ms. */
export interface Session {
  readonly atMs: number;
  readonly tookMs: number;
  readonly whole: boolean;
}

/** Who is MASTER by each host's own kernel, from this moment on. Unix ms. */
export interface Held {
  readonly atMs: number;
  readonly masters: readonly string[];
}

/** A fault as it was: from when to when. Unix ms. */
export interface Broken {
  readonly name: string;
  readonly node: string | null;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Everything that was seen of one episode. */
export interface Seen {
  readonly nodes: readonly string[];
  readonly fromMs: number;
  readonly toMs: number;
  readonly attempts: readonly Attempt[];
  readonly sessions: readonly Session[];
  readonly held: readonly Held[];
  readonly broken: readonly Broken[];
  /** While moves by themselves were stopped by an operator. Unix ms. */
  readonly paused: readonly { readonly fromMs: number; readonly toMs: number }[];
}
