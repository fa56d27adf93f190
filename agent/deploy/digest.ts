import { createHash } from 'node:crypto';
import type { Deployment } from '../core/deploy/deployment.ts';

/** What DeployState.digest is once a host has this configuration. */
export function digestOf({ form, files }: Pick<Deployment, 'form' | 'files'>): string {
  if (form === 'file') return sha256(files[0]?.content ?? new Uint8Array());
  // As sort(1) has them in the C locale.
  const sorted = [...files].sort((a, b) =>
    Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)),
  );
  return sha256(
    Buffer.from(sorted.map(({ path, content }) => `${sha256(content)} *./${path}\n`).join('')),
  );
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
