import { blocksOf, bundleText } from './blocks.ts';
import { refuseForeign } from './check.ts';
import { refuse } from './failure.ts';
import type { SwapEntry } from './journal.ts';
import type { HaproxyCertificates, NodeSwapParts } from './port.ts';

/**
 * Takes back what a swap changed on this node, from whatever state it finds: our transaction is
 * dropped, the old file and the old certificate in memory come back, the journal is closed.
 * What somebody else changed meanwhile stays. Each part is tried even when another failed; then
 * it rejects with the first failure and the journal stays open, so that it can be done again.
 */
export async function putBack(parts: NodeSwapParts, entry: SwapEntry): Promise<void> {
  const { journal } = parts;
  // Only so that a restart goes on with this; on a full disk the rest is still possible.
  await journal.write({ ...entry, phase: 'aborting' }).catch(() => undefined);
  const failures: unknown[] = [];
  const steps = entry.already ? [] : [dropTransaction, restoreFile, restoreMemory];
  for (const step of steps) await step(parts, entry).catch((error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
  await journal.remove(entry.swapId);
}

async function dropTransaction({ haproxy }: NodeSwapParts, entry: SwapEntry): Promise<void> {
  if ((await haproxy.openTransaction()) !== entry.path) return;
  const staged = await haproxy.staged(entry.path);
  const ours = staged === entry.fingerprint || staged === entry.fingerprintOld;
  if (ours) await haproxy.abort(entry.path);
}

async function restoreFile({ files }: NodeSwapParts, entry: SwapEntry): Promise<void> {
  if (entry.newPem === entry.oldPem) return;
  if ((await files.read(entry.path)) === entry.newPem)
    await files.replace(entry.path, entry.oldPem);
}

async function restoreMemory({ haproxy, node }: NodeSwapParts, entry: SwapEntry): Promise<void> {
  const { path, fingerprint, fingerprintBefore, fingerprintOld } = entry;
  if ((await inMemory(haproxy, path)) !== fingerprint) return;
  // It was there before us, and disk had another one: not ours to change.
  if (fingerprintBefore === fingerprint && fingerprintOld !== fingerprint) return;
  await refuseForeign(haproxy, node);
  await haproxy.stage(path, bundleText(blocksOf(entry.oldPem)));
  await haproxy.commit(path);
  const now = await inMemory(haproxy, path);
  if (now === fingerprintOld) return;
  throw refuse(
    'failed',
    'not_restored',
    `put ${path} back on ${node}: HAProxy has ${now ?? 'nothing'} in memory`,
    `it should be ${fingerprintOld}`,
    'reload HAProxy: the old certificate is on disk',
  );
}

/** SHA-1 of the leaf HAProxy has for `path`; null when it has not loaded it. */
export async function inMemory(haproxy: HaproxyCertificates, path: string): Promise<string | null> {
  const loaded = await haproxy.list();
  return loaded.find((one) => one.path === path)?.fingerprint ?? null;
}
