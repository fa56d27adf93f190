import { refuseOpen } from './check.ts';
import { filesOf } from './disk.ts';
import type { SwapEntry, SwapItem } from './entry.ts';
import { refuse } from './failure.ts';
import type { NodeSwapParts } from './port.ts';
import { inMemory } from './undo.ts';

/** Stages the first new bundle in HAProxy (it holds one transaction) and compares what it then holds. */
export async function stageFirst(parts: NodeSwapParts, entry: SwapEntry): Promise<void> {
  const first = entry.items.find(({ already, reload }) => !already && !reload);
  if (first !== undefined) await stage(parts, first, await parts.haproxy.openTransaction());
}

/** `open`: looked at right before, for HAProxy 2.6 puts the bundle into whatever transaction is open. */
async function stage(parts: NodeSwapParts, item: SwapItem, open: string | null): Promise<void> {
  refuseOpen(open, parts.node);
  await parts.haproxy.stage(item.path, item.newPem);
  await refuseOtherStaged(parts, item);
}

/**
 * From staged to live and on disk, one certificate after the other, each step verified. Resolves
 * to the entry as the journal then has it, phase `committed`; on rejection it is the caller's to
 * put the old bundles back.
 */
export async function makeLive(parts: NodeSwapParts, entry: SwapEntry): Promise<SwapEntry> {
  const work = entry.items.filter(({ already }) => !already);
  for (const item of work) await refuseChanged(parts, item, entry.phase !== 'prepared');
  if (work.length > 0) await parts.journal.write({ ...entry, phase: 'committing' });
  const items: SwapItem[] = [];
  for (const item of entry.items) {
    const warnings = item.already ? [] : await oneLive(parts, item);
    items.push({ ...item, warnings: [...item.warnings, ...warnings] });
  }
  const closed: SwapEntry = { ...entry, phase: 'committed', items };
  await parts.journal.write(closed);
  return closed;
}

async function oneLive(parts: NodeSwapParts, item: SwapItem): Promise<readonly string[]> {
  const { haproxy } = parts;
  if (item.reload) {
    await replaceFiles(parts, item);
    await parts.reload();
    return await verifyServed(parts, item);
  }
  // What was staged by `prepare` may be gone: a reload of HAProxy drops it.
  const open = await haproxy.openTransaction();
  if (open === item.path) await refuseOtherStaged(parts, item);
  else await stage(parts, item, open);
  await haproxy.commit(item.path);
  const warnings = await verifyServed(parts, item);
  await replaceFiles(parts, item);
  return warnings;
}

async function replaceFiles({ files, node }: NodeSwapParts, item: SwapItem): Promise<void> {
  for (const { path, newPem } of filesOf(item)) {
    await files.replace(path, newPem);
    if ((await files.read(path)) !== newPem)
      throw refuse(
        'failed',
        'not_written',
        `replace ${path} on ${node}: the file reads differently than written`,
      );
  }
}

/** Both checks of what a client gets: what HAProxy says it holds, and a real handshake. */
async function verifyServed(
  { haproxy, verify, node }: NodeSwapParts,
  { path, fingerprint, names }: SwapItem,
): Promise<readonly string[]> {
  const memory = await inMemory(haproxy, path);
  const served = memory === fingerprint ? await verify(path, names, fingerprint) : memory;
  if (served === fingerprint) return [];
  if (served === null && memory === fingerprint)
    return ['no listener is known for it: not verified by a TLS handshake'];
  throw refuse(
    'failed',
    'not_served',
    `${path} on ${node}: HAProxy does not serve the new certificate`,
    `it should be ${fingerprint}, ${memory === fingerprint ? 'the listener shows' : 'memory has'} ${served ?? 'nothing'}`,
    'look for another certificate with these names: proxyctl cert list',
  );
}

/** What changed between prepare and commit is somebody's wish too; it is never overwritten. */
async function refuseChanged(parts: NodeSwapParts, item: SwapItem, begun: boolean): Promise<void> {
  const memory = await inMemory(parts.haproxy, item.path);
  const before = memory === item.fingerprintBefore || memory === item.fingerprintOld;
  // One that was cut off in the middle may have done it already.
  const known = before || (begun && memory === item.fingerprint);
  let disk = true;
  for (const { path, oldPem, newPem } of filesOf(item)) {
    const text = await parts.files.read(path);
    disk &&= text === oldPem || (begun && text === newPem);
  }
  if (known && disk) return;
  throw refuse(
    'conflict',
    'changed_meanwhile',
    `${item.path} on ${parts.node} changed while the swap was prepared`,
    known ? 'the file on disk is another one' : `HAProxy has ${memory ?? 'nothing'} in memory`,
    'push again',
    true,
  );
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
