import { refuseForeign } from './check.ts';
import { refuse } from './failure.ts';
import type { SwapEntry } from './journal.ts';
import type { NodeSwapParts } from './port.ts';
import { inMemory } from './undo.ts';

/** Stages the new bundle in HAProxy and compares what HAProxy then holds. */
export async function stage(parts: NodeSwapParts, entry: SwapEntry): Promise<void> {
  // Looked at again right before: HAProxy 2.6 puts the bundle into whatever transaction is open.
  await refuseForeign(parts.haproxy, parts.node);
  await parts.haproxy.stage(entry.path, entry.newPem);
  await refuseOtherStaged(parts, entry);
}

/**
 * From staged to live and on disk, each step verified. Resolves to the entry as the journal then
 * has it, phase `committed`; on rejection it is the caller's to put the old bundle back.
 */
export async function makeLive(parts: NodeSwapParts, entry: SwapEntry): Promise<SwapEntry> {
  const { haproxy, files, journal } = parts;
  if (entry.already) return await closeAs(parts, entry, []);
  await refuseChanged(parts, entry);
  // A reload of HAProxy since `prepare` has dropped what was staged.
  if ((await haproxy.openTransaction()) === entry.path) await refuseOtherStaged(parts, entry);
  else await stage(parts, entry);
  await journal.write({ ...entry, phase: 'committing' });
  await haproxy.commit(entry.path);
  const warnings = await verifyServed(parts, entry);
  await files.replace(entry.path, entry.newPem);
  if ((await files.read(entry.path)) !== entry.newPem)
    throw refuse(
      'failed',
      'not_written',
      `replace ${entry.path} on ${parts.node}: the file reads differently than written`,
    );
  return await closeAs(parts, entry, warnings);
}

async function closeAs(
  { journal }: NodeSwapParts,
  entry: SwapEntry,
  warnings: readonly string[],
): Promise<SwapEntry> {
  const closed: SwapEntry = {
    ...entry,
    phase: 'committed',
    warnings: [...entry.warnings, ...warnings],
  };
  await journal.write(closed);
  return closed;
}

/** Both checks of what a client gets: what HAProxy says it holds, and a real handshake. */
async function verifyServed(
  { haproxy, verify, node }: NodeSwapParts,
  { path, fingerprint, names }: SwapEntry,
): Promise<readonly string[]> {
  const memory = await inMemory(haproxy, path);
  const served = memory === fingerprint ? await verify(path, names) : memory;
  if (served === fingerprint) return [];
  if (served === null && memory === fingerprint)
    return ['no listener is known for it: not verified by a TLS handshake'];
  throw refuse(
    'failed',
    'not_served',
    `${path} on ${node}: HAProxy does not serve the new certificate`,
    `it should be ${fingerprint}, ${memory === fingerprint ? 'the listener shows' : 'memory has'} ${served ?? 'nothing'}`,
    'look for another certificate with these names: proxyctl haproxy show ssl cert',
  );
}

/** What changed between prepare and commit is somebody's wish too; it is never overwritten. */
async function refuseChanged(parts: NodeSwapParts, entry: SwapEntry): Promise<void> {
  const memory = await inMemory(parts.haproxy, entry.path);
  const known = memory === entry.fingerprintBefore || memory === entry.fingerprintOld;
  const disk = (await parts.files.read(entry.path)) === entry.oldPem;
  if (known && disk) return;
  throw refuse(
    'conflict',
    'changed_meanwhile',
    `${entry.path} on ${parts.node} changed while the swap was prepared`,
    known ? 'the file on disk is another one' : `HAProxy has ${memory ?? 'nothing'} in memory`,
    'push again',
    true,
  );
}

async function refuseOtherStaged(
  { haproxy, node }: NodeSwapParts,
  { path, fingerprint }: SwapEntry,
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
