import type { ListenerCheck } from '../core/certs/listener-check.ts';
import { askAgain } from './ask-again.ts';
import { refuseOpen } from './check.ts';
import { certificateFilesOf, filesOf, ifThere, keyFilesOf } from './disk.ts';
import { touchedBy, type SwapEntry, type SwapFile, type SwapItem } from './entry.ts';
import { refuse } from './failure.ts';
import { expectedAfter, judge } from './judge.ts';
import type { NewFile, NodeSwapParts } from './port.ts';
import { several } from './several.ts';

/**
 * Everything that needs room or may be refused, before anything is changed: the new files beside
 * the old ones, and the first new bundle in HAProxy's one transaction.
 */
export async function stageAll(parts: NodeSwapParts, entry: SwapEntry): Promise<void> {
  await stageFiles(parts, entry);
  const first = touchedBy(entry).find(({ reload }) => !reload);
  if (first !== undefined) await stage(parts, first, await parts.haproxy.openTransaction());
}

/** The new files beside the old ones: `unstage` in undo.ts removes them. */
export async function stageFiles({ files }: NodeSwapParts, entry: SwapEntry): Promise<void> {
  await files.stage(touchedBy(entry).flatMap(filesOf).map(newFile));
}

/**
 * From staged to live and on disk, each step verified: all in HAProxy's memory, then all files,
 * so that disk never has what no client was served. Resolves to the entry as the journal then
 * has it, phase `committed`; on rejection it is the caller's to put the old bundles back.
 */
export async function makeLive(parts: NodeSwapParts, entry: SwapEntry): Promise<SwapEntry> {
  const work = touchedBy(entry);
  await refuseChanged(parts, work, entry.phase !== 'prepared');
  if (work.length > 0) await parts.journal.write({ ...entry, phase: 'committing' });
  await liveByCommit(
    parts,
    work.filter(({ reload }) => !reload),
  );
  const byReload = work.filter(({ reload }) => reload);
  // A reload reads every file, so those of the first kind are there before it.
  if (byReload.length > 0) {
    const others = work.filter(({ reload }) => !reload);
    if (others.length > 0) await verifyServed(parts, entry, others);
    await installAll(parts, others);
    await installAll(parts, byReload);
    await parts.reload();
  }
  const checks = await verifyServed(parts, entry, work);
  await installAll(parts, byReload.length > 0 ? [] : work.filter(({ reload }) => !reload));
  const items = entry.items.map((item) => ({ ...item, checks: checks.get(item.path) ?? [] }));
  const closed: SwapEntry = { ...entry, phase: 'committed', items };
  await parts.journal.write(closed);
  return closed;
}

async function liveByCommit(parts: NodeSwapParts, items: readonly SwapItem[]): Promise<void> {
  if (items.length === 0) return;
  // Looked at right before each: HAProxy 2.6 puts a bundle into whatever transaction is open.
  let open = await parts.haproxy.openTransaction();
  for (const item of items) {
    // What was staged by `prepare` may be gone: a reload of HAProxy drops it.
    if (open === item.path) await refuseOtherStaged(parts, item);
    else await stage(parts, item, open);
    open = await parts.haproxy.commit(item.path);
    await enlist(parts, item);
  }
}

/** HAProxy would take the same line twice. */
async function enlist({ haproxy }: NodeSwapParts, { path, into }: SwapItem): Promise<void> {
  if (into === null) return;
  const listed = (await haproxy.listed(into.list)).some((one) => one.path === path);
  if (!listed) await haproxy.addToList(into.list, into.line);
}

/** Keys that have files of their own first; see filesFor in disk.ts. */
async function installAll({ files }: NodeSwapParts, items: readonly SwapItem[]): Promise<void> {
  for (const wave of [items.flatMap(keyFilesOf), items.flatMap(certificateFilesOf)])
    if (wave.length > 0) await files.install(wave.map(newFile));
}

/** `open`: the transaction that was open right before. */
async function stage(parts: NodeSwapParts, item: SwapItem, open: string | null): Promise<void> {
  refuseOpen(open, parts.node);
  if (item.into !== null && !(await parts.haproxy.paths()).includes(item.path))
    await parts.haproxy.create(item.path);
  await parts.haproxy.stage(item.path, item.newPem);
  await refuseOtherStaged(parts, item);
}

const newFile = ({ path, newPem }: SwapFile): NewFile => ({ path, pem: newPem });

/** Both checks of what a client gets: what HAProxy says it holds, and real handshakes. */
async function verifyServed(
  parts: NodeSwapParts,
  entry: SwapEntry,
  items: readonly SwapItem[],
): Promise<ReadonlyMap<string, readonly ListenerCheck[]>> {
  const { haproxy, node } = parts;
  const memory = await haproxy.loadedAll(items.map(({ path }) => path));
  for (const [at, { path, fingerprint }] of items.entries()) {
    const held = memory[at]?.fingerprint ?? null;
    if (held !== fingerprint)
      throw notServed(path, node, fingerprint, `memory has ${held ?? 'nothing'}`);
  }
  const answers = await askAgain(parts, entry, {
    expected: (question) => expectedAfter(items, question),
    held: new Map(items.map(({ path, fingerprint }) => [path, fingerprint])),
    pemOf: (path) => items.find((item) => item.path === path)?.newPem ?? null,
  });
  const all = await parts.listeners();
  return new Map(
    items.map((item) => {
      const judged = judge(item, answers, entry, all);
      if ('wrong' in judged) throw notServed(item.path, node, item.fingerprint, judged.wrong);
      return [item.path, judged.checks];
    }),
  );
}

const notServed = (path: string, node: string, wanted: string, instead: string) =>
  refuse(
    'failed',
    'not_served',
    `${path} on ${node}: HAProxy does not serve the new certificate`,
    `it should be ${wanted}, ${instead}`,
    'look for another certificate with these names: proxyctl cert list',
  );

/** What changed between prepare and commit is somebody's wish too; it is never overwritten. */
async function refuseChanged(
  parts: NodeSwapParts,
  items: readonly SwapItem[],
  begun: boolean,
): Promise<void> {
  const memory = await parts.haproxy.loadedAll(items.map(({ path }) => path));
  const unchanged = await several(items, (item) => isKnownOnDisk(parts, item, begun));
  for (const [at, item] of items.entries()) {
    const held = memory[at]?.fingerprint ?? null;
    const before =
      item.into === null
        ? held === item.fingerprintBefore || held === item.fingerprintOld
        : held === null;
    // One that was cut off in the middle may have done it already.
    const known = before || (begun && held === item.fingerprint);
    if (known && unchanged[at] === true) continue;
    throw refuse(
      'conflict',
      'changed_meanwhile',
      `${item.path} on ${parts.node} changed while the swap was prepared`,
      known ? 'the file on disk is another one' : `HAProxy has ${held ?? 'nothing'} in memory`,
      'push again',
      true,
    );
  }
}

/** Each file by itself: a swap that was cut off between two has replaced one of them. */
async function isKnownOnDisk(
  { files }: NodeSwapParts,
  item: SwapItem,
  begun: boolean,
): Promise<boolean> {
  const known = await several(filesOf(item), async ({ path, oldPem, newPem }) => {
    const text = (await ifThere(files, path)) ?? '';
    return text === oldPem || (begun && text === newPem);
  });
  return known.every((one) => one);
}

async function refuseOtherStaged(
  { haproxy, node }: NodeSwapParts,
  { path, fingerprint }: SwapItem,
): Promise<void> {
  const staged = await haproxy.staged(path);
  if (staged === fingerprint) return;
  throw refuse(
    'conflict',
    'staged_differs',
    `HAProxy on ${node} holds another certificate in the transaction on ${path}`,
    `it should be ${fingerprint}, it is ${staged}`,
    'somebody else stages certificates at the same time: let them finish, then push again',
    true,
  );
}
