import { askAgain } from './ask-again.ts';
import { blocksOf, bundleText } from './blocks.ts';
import { refuseForeign } from './check.ts';
import { filesOf, ifThere } from './disk.ts';
import { touchedBy, type SwapEntry, type SwapItem } from './entry.ts';
import { refuse } from './failure.ts';
import { withoutLine } from './into.ts';
import type { HaproxyCertificates, NodeSwapParts } from './port.ts';

/**
 * Takes back what a swap changed on this node, from whatever state it finds: our transaction is
 * dropped, the old files and the old certificates in memory come back, the last first. What
 * somebody else changed meanwhile stays. Each part is tried even when another failed; then it
 * rejects with the first failure and the journal stays open, so that it can be done again. The
 * coordinator keeps a note that it was taken back, until every node has confirmed (`forget`).
 */
export async function putBack(parts: NodeSwapParts, entry: SwapEntry): Promise<void> {
  const { journal, node } = parts;
  if (entry.phase === 'aborted') return;
  // Only so that a restart goes on with this; on a full disk the rest is still possible.
  await journal.write({ ...entry, phase: 'aborting' }).catch(() => undefined);
  const failures: unknown[] = [];
  const ended = entry.phase === 'aborting';
  await dropAround(parts, entry).catch((error) => failures.push(error));
  await unstage(parts, entry).catch((error) => failures.push(error));
  for (const item of touchedBy(entry).toReversed())
    for (const step of [dropTransaction, restoreFiles, restoreMemory])
      await step(parts, item).catch((error) => failures.push(error));
  if (failures.length === 0)
    await restoreOrder(parts, entry, ended).catch((error) => failures.push(error));
  if (failures.length > 0) throw failures[0];
  if (entry.coordinator === node && entry.members.length > 1)
    await journal.write({ ...entry, phase: 'aborted', items: [] });
  else await journal.remove(entry.swapId);
}

/** Removes the new files that stand beside the old ones. */
export async function unstage({ files }: NodeSwapParts, entry: SwapEntry): Promise<void> {
  const changed = touchedBy(entry).flatMap(filesOf);
  await files.unstage(changed.map(({ path }) => path));
}

async function dropTransaction({ haproxy }: NodeSwapParts, item: SwapItem): Promise<void> {
  if (item.reload || (await haproxy.openTransaction()) !== item.path) return;
  const staged = await haproxy.staged(item.path);
  const ours = staged === item.fingerprint || staged === item.fingerprintOld;
  if (ours) await haproxy.abort(item.path);
}

/** One that shares names, which was being committed again as it is. */
async function dropAround({ haproxy }: NodeSwapParts, { around = [] }: SwapEntry): Promise<void> {
  if (around.length === 0) return;
  const open = await haproxy.openTransaction();
  const one = around.find(({ path }) => path === open);
  if (one !== undefined && (await haproxy.staged(one.path)) === one.fingerprint)
    await haproxy.abort(one.path);
}

/**
 * Every name that was asked is answered as before, shared ones too. `ended`: it was tried before,
 * and what is answered otherwise now has another cause, as a reload of HAProxy.
 */
async function restoreOrder(parts: NodeSwapParts, entry: SwapEntry, ended: boolean): Promise<void> {
  const work = touchedBy(entry).filter(({ into }) => into === null);
  const answers = await askAgain(parts, entry, {
    expected: ({ before }) => before,
    held: new Map(work.map(({ path, fingerprintOld }) => [path, fingerprintOld])),
    pemOf: (path) => {
      const item = work.find((one) => one.path === path);
      return item === undefined || item.reload ? null : bundleText(blocksOf(item.oldPem));
    },
  });
  // Memory that differed from disk before is disk's now.
  const was = ({ before }: { readonly before: string | null }): string | null =>
    work.find(({ fingerprintBefore }) => fingerprintBefore === before)?.fingerprintOld ?? before;
  const wrong = answers.find(
    (one) => one.before !== null && one.shown !== null && one.shown !== was(one),
  );
  if (wrong === undefined || ended) return;
  throw refuse(
    'failed',
    'not_restored',
    `${wrong.servername ?? 'no server name'} at ${wrong.listener} on ${parts.node} is not answered as before`,
    `it shows ${wrong.shown}, before it was ${wrong.before}`,
    'reload HAProxy: the old certificates are on disk',
  );
}

/** Each by itself: a swap that was cut off between two has replaced one of them. */
async function restoreFiles({ files }: NodeSwapParts, item: SwapItem): Promise<void> {
  if (item.into !== null) return removeFiles(files, item, item.into);
  for (const { path, oldPem, newPem } of filesOf(item))
    if (newPem !== oldPem && (await files.read(path)) === newPem)
      await files.install([{ path, pem: oldPem }]);
}

/** The list first: HAProxy does not start with one that names a file which is not there. */
async function removeFiles(
  files: NodeSwapParts['files'],
  { path, oldPem, newPem, files: both }: SwapItem,
  { list, line }: NonNullable<SwapItem['into']>,
): Promise<void> {
  const text = (await ifThere(files, list)) ?? '';
  const ours = both.find((one) => one.path === list);
  const wanted = text === ours?.newPem ? ours.oldPem : withoutLine(text, line);
  if (text !== wanted) await files.install([{ path: list, pem: wanted }]);
  if (oldPem === '' && (await ifThere(files, path)) === newPem) await files.remove(path);
}

/** A certificate with our leaf or none in it is ours: there was no other one before. */
async function takeOut(
  { haproxy }: NodeSwapParts,
  { path, fingerprint }: SwapItem,
  list: string,
): Promise<void> {
  if (!(await haproxy.paths()).includes(path)) return;
  const held = await inMemory(haproxy, path);
  if (held !== null && held !== fingerprint) return;
  for (const entry of await haproxy.listed(list))
    if (entry.path === path) await haproxy.removeFromList(list, entry);
  await haproxy.drop(path);
}

async function restoreMemory(parts: NodeSwapParts, item: SwapItem): Promise<void> {
  if (item.into !== null) return takeOut(parts, item, item.into.list);
  const { haproxy, node } = parts;
  const { path, fingerprint, fingerprintBefore, fingerprintOld } = item;
  if ((await inMemory(haproxy, path)) !== fingerprint) return;
  // It was there before us, and disk had another one: not ours to change.
  if (fingerprintBefore === fingerprint && fingerprintOld !== fingerprint) return;
  if (item.reload) await parts.reload();
  else {
    await refuseForeign(haproxy, node);
    await haproxy.stage(path, bundleText(blocksOf(item.oldPem)));
    await haproxy.commit(path);
  }
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
const inMemory = async (haproxy: HaproxyCertificates, path: string): Promise<string | null> =>
  (await haproxy.loaded(path))?.fingerprint ?? null;
