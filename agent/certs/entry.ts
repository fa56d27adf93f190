import * as v from 'valibot';
import { SWAP_PHASES, type SwapPhase } from '../core/certs/swap.ts';
import type { ListenerCheck } from '../core/certs/listener-check.ts';
import type { Stamp } from '../core/model.ts';
import { sealed } from '../sys/sealed.ts';
import type { ListenerPlace } from './listener-place.ts';

/** One file that a certificate lies in, before and after. */
export interface SwapFile {
  readonly path: string;
  readonly oldPem: string;
  readonly newPem: string;
}

/** One certificate of a swap on this node. */
export interface SwapItem {
  /** The same on every node. */
  readonly name: string;
  readonly path: string;
  /** Memory and disk held the new bundle before; nothing is touched. */
  readonly already: boolean;
  /** Too large for the runtime API: the file, then HAProxy's reload. */
  readonly reload: boolean;
  /** What was on disk before, byte for byte; a key of its own file follows the certificates. */
  readonly oldPem: string;
  /** Normalised. */
  readonly newPem: string;
  /** SHA-1 of the leaf in HAProxy's memory before. */
  readonly fingerprintBefore: string;
  /** SHA-1 of the leaf on disk before. */
  readonly fingerprintOld: string;
  readonly fingerprint: string;
  /** SHA-256 of `newPem`. */
  readonly sha256: string;
  /** RFC 3339 UTC. */
  readonly notAfter: string;
  readonly names: readonly string[];
  readonly warnings: readonly string[];
  /** Where it is not in the one file `path`: its files, in the order in which they are replaced. */
  readonly files: readonly SwapFile[];
  /** A new one, which HAProxy had not loaded before; `files` has its own file and the list. */
  readonly into: NewOfList | null;
  /** What its listeners showed; before the commit those that could not be asked. */
  readonly checks?: readonly ListenerCheck[];
}

/** What makes a new certificate one of a crt-list. */
interface NewOfList {
  readonly list: string;
  /** As it stands in the list: path, then filters. */
  readonly line: string;
  /** Server names that a client is to get it for. */
  readonly names: readonly string[];
}

/** One question to a listener, and what it answered before a swap. */
export interface Asked {
  readonly listener: string;
  readonly place: ListenerPlace;
  readonly servername: string | null;
  readonly keyType: string;
  /** The name is one of a crt-list, whatever the certificate is valid for. */
  readonly filter: boolean;
  /** SHA-1; null: it showed nothing. */
  readonly before: string | null;
  /** The path whose certificate that was, or that is to answer from now on; null: not known. */
  readonly owner: string | null;
}

/** A certificate that shares names with one of a swap, and is the same on disk and in memory. */
export interface Around {
  readonly path: string;
  readonly fingerprint: string;
}

/** One swap on this node, as its journal has it. */
export interface SwapEntry {
  readonly swapId: string;
  readonly phase: SwapPhase;
  readonly coordinator: string;
  readonly members: readonly string[];
  readonly stamp: Stamp;
  readonly actor: string;
  readonly reason: string;
  /** In the order in which they go through HAProxy. */
  readonly items: readonly SwapItem[];
  /** What the listeners answered before; absent in journals of older agents. */
  readonly asked?: readonly Asked[];
  /** Certificates that share names with those of the swap. */
  readonly around?: readonly Around[];
}

/** The certificates that a swap touches: memory and disk did not have the new ones before. */
export const touchedBy = ({ items }: Pick<SwapEntry, 'items'>): readonly SwapItem[] =>
  items.filter(({ already }) => !already);

const item = v.strictObject({
  name: v.string(),
  path: v.string(),
  already: v.boolean(),
  reload: v.boolean(),
  oldPem: v.string(),
  newPem: v.string(),
  fingerprintBefore: v.string(),
  fingerprintOld: v.string(),
  fingerprint: v.string(),
  sha256: v.string(),
  notAfter: v.string(),
  names: v.array(v.string()),
  warnings: v.array(v.string()),
  files: v.array(v.strictObject({ path: v.string(), oldPem: v.string(), newPem: v.string() })),
  // Journals of agents that could not add any have no such field.
  into: v.optional(
    v.nullable(v.strictObject({ list: v.string(), line: v.string(), names: v.array(v.string()) })),
    null,
  ),
  checks: v.exactOptional(
    v.array(
      v.strictObject({
        listener: v.string(),
        servername: v.string(),
        verified: v.boolean(),
        reason: v.string(),
      }),
    ),
  ),
});
const asked = v.strictObject({
  listener: v.string(),
  place: v.strictObject({
    host: v.string(),
    port: v.number(),
    unix: v.nullable(v.string()),
    proxy: v.picklist(['no', 'yes', 'maybe']),
  }),
  servername: v.nullable(v.string()),
  keyType: v.string(),
  filter: v.boolean(),
  before: v.nullable(v.string()),
  owner: v.nullable(v.string()),
});
const body = v.strictObject({
  swapId: v.string(),
  phase: v.picklist(SWAP_PHASES),
  coordinator: v.string(),
  members: v.array(v.string()),
  stamp: v.strictObject({ wallMs: v.number(), count: v.number(), node: v.string() }),
  actor: v.string(),
  reason: v.string(),
  items: v.array(item),
  asked: v.exactOptional(v.array(asked)),
  around: v.exactOptional(v.array(v.strictObject({ path: v.string(), fingerprint: v.string() }))),
});
const journal = sealed<SwapEntry>('swap', 2, body);

/** The text of a journal file: a version, a checksum, the entry. */
export const serialise = (entry: SwapEntry): string => journal.text(entry);

/** The entry in the text of a journal file; null when it is not whole or not of this version. */
export const parseJournal = (text: string): SwapEntry | null => journal.read(text);
