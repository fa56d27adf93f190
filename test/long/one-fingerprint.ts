import { readFileSync } from 'node:fs';
import { sha1Of } from '../lab/certificates.ts';
import { proxyctl } from '../lab/client.ts';
import type { LabReport } from '../lab/report.ts';
import { eventually, nodeAt } from '../pair/scene.ts';
import { everywhere, leftovers } from '../pair/swaps.ts';

/** SHA-1 of what lies on the first node's disk. */
export const onDisk = (lab: LabReport): string =>
  sha1Of(readFileSync(nodeAt(lab, 0).cert_path, 'utf8'));

/**
 * Waits until disk, memory and clients of both nodes have one certificate and nothing of a swap is
 * open; its SHA-1. Rejects with all that was found after `limitMs`.
 */
export async function oneFingerprint(
  lab: LabReport,
  title: string,
  limitMs: number,
): Promise<string> {
  let last = '';
  let sha1 = '';
  try {
    await eventually(
      `${title}: one fingerprint everywhere, nothing open`,
      async () => {
        const open = await leftovers(lab).catch((error: unknown) => [String(error)]);
        const found = await everywhere(lab).catch((error: unknown) => String(error));
        last = JSON.stringify({ open, found });
        if (open.length > 0 || typeof found === 'string') return false;
        const all = new Set(found.flatMap((one) => Object.values(one)));
        [sha1 = ''] = all;
        return all.size === 1;
      },
      limitMs,
    );
  } catch (cause) {
    throw new Error(`${title}: not one fingerprint after ${limitMs} ms: ${last}`, { cause });
  }
  return sha1;
}

/** What `cert verify` and `status` still say against a pair that should be as one. */
export async function complaints(lab: LabReport): Promise<unknown[]> {
  const verified = await proxyctl(lab, ['cert', 'verify', '-o', 'json']);
  const status = await proxyctl(lab, ['status', '-o', 'json']);
  const { findings } = resultOf(verified.stdout);
  const { alerts } = resultOf(status.stdout);
  return [...listOf(findings), ...listOf(alerts)];
}

const resultOf = (text: string): Readonly<Record<string, unknown>> =>
  (JSON.parse(text) as { result: Readonly<Record<string, unknown>> | null }).result ?? {};

/** What is not there at all is a complaint too. */
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : ['no answer']);
