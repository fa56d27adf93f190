import { readFileSync } from 'node:fs';
import { sha1Of } from '../lab/certificates.ts';
import { proxyctl } from '../lab/client.ts';
import type { LabReport } from '../lab/report.ts';
import { eventually, nodeAt } from '../pair/scene.ts';
import { everywhere, leftovers, sitesOf } from '../pair/swaps.ts';

/** SHA-1 of every certificate on the first node's disk, in order. */
export const onDisk = (lab: LabReport): string[] =>
  sitesOf(nodeAt(lab, 0)).map(({ path }) => sha1Of(readFileSync(path, 'utf8')));

/**
 * Waits until disk, memory and clients of both nodes have the same certificates and nothing of a
 * swap is open; their SHA-1, in order. Rejects with all that was found after `limitMs`.
 */
export async function oneFingerprint(
  lab: LabReport,
  title: string,
  limitMs: number,
): Promise<string[]> {
  let last = '';
  let all: string[] = [];
  try {
    await eventually(
      `${title}: one fingerprint everywhere, nothing open`,
      async () => {
        const open = await leftovers(lab).catch((error: unknown) => [String(error)]);
        const found = await placesOf(lab).catch((error: unknown) => String(error));
        last = JSON.stringify({ open, found });
        if (open.length > 0 || typeof found === 'string') return false;
        all = found.map(([sha1 = '']) => sha1);
        return found.every((sha1s) => sha1s.length === 1);
      },
      limitMs,
    );
  } catch (cause) {
    throw new Error(`${title}: not one fingerprint after ${limitMs} ms: ${last}`, { cause });
  }
  return all;
}

/** What is found of each certificate, each fingerprint once. */
const placesOf = (lab: LabReport): Promise<string[][]> =>
  Promise.all(
    sitesOf(nodeAt(lab, 0)).map(async (_, at) => {
      const found = await everywhere(lab, (node) => sitesOf(node)[at] ?? noSite());
      return [...new Set(found.flatMap((one) => Object.values(one)))];
    }),
  );

const noSite = (): never => {
  throw new Error('the nodes have different certificates');
};

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
