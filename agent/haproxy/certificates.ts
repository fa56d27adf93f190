import type { CertificateReport } from '../core/model.ts';
import { RuntimeError, word, type Runtime } from './runtime.ts';

/** `show ssl cert FILE` as HAProxy prints it. */
interface Shown {
  readonly path: string;
  readonly fingerprint: string;
  readonly notAfter: string;
  readonly names: readonly string[];
}

/**
 * Parses `show ssl cert FILE`: `Key: value` lines, unknown ones let pass.
 * Throws RuntimeError when the file, the fingerprint or the end is missing.
 */
export function parseCertificate(text: string): Shown {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, key, value] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    if (key !== undefined && !values.has(key)) values.set(key, value ?? '');
  }
  const path = values.get('Filename')?.replace(/^\*/, '');
  const fingerprint = values.get('SHA1 FingerPrint')?.toLowerCase();
  // "Feb 21 20:42:27 2027 GMT"
  const endMs = Date.parse(values.get('notAfter') ?? '');
  if (path === undefined || fingerprint === undefined || Number.isNaN(endMs))
    throw new RuntimeError('show ssl cert', '', { kind: 'text', text });
  const names = [
    ...(values.get('Subject Alternative Name') ?? '').matchAll(/(?:DNS|IP Address):([^,\s]+)/g),
  ];
  return {
    path,
    fingerprint,
    notAfter: new Date(endMs).toISOString().replace('.000Z', 'Z'),
    names: names.flatMap(([, name]) => (name === undefined ? [] : [name])),
  };
}

/**
 * Paths of the certificates in memory, and the one with an open transaction.
 * `show ssl cert` marks a transaction with `*`.
 */
export function parseCertificateList(text: string): {
  readonly paths: readonly string[];
  readonly open: string | null;
} {
  const lines = text.split('\n').map((line) => line.trim());
  if (lines.some((line) => line.startsWith("Can't allocate memory"))) {
    // What 2.6 and 3.4 answer on a socket whose level is too low.
    const said = 'the stats socket needs level admin or operator for certificates';
    throw new RuntimeError('show ssl cert', '', { kind: 'rejected', text: said });
  }
  const entries = lines.filter((line) => line !== '' && !line.startsWith('#'));
  return {
    paths: entries.filter((line) => !line.startsWith('*')),
    open: entries.find((line) => line.startsWith('*'))?.slice(1) ?? null,
  };
}

/**
 * HAProxy's certificates and its one certificate transaction: `stage` opens
 * it, `commit` makes it live for new handshakes, `abort` drops it. It has no
 * owner and outlives the connection, so look at `openTransaction` first.
 * Everything rejects with RuntimeError.
 */
export const certificates = (runtime: Runtime) => ({
  /** Every certificate that is loaded and not empty. */
  async list(): Promise<CertificateReport[]> {
    const { paths } = parseCertificateList(await runtime('show ssl cert'));
    const shown: CertificateReport[] = [];
    for (const path of paths) {
      const text = await runtime(`show ssl cert ${word(path)}`);
      if (!/^Status: (Empty|Uncommitted)/m.test(text)) shown.push(parseCertificate(text));
    }
    return shown;
  },

  /** One of them; null where it is not loaded or empty. */
  async loaded(path: string): Promise<CertificateReport | null> {
    const text = await runtime(`show ssl cert ${word(path)}`);
    if (/^Can't display the certificate/m.test(text)) return null;
    return /^Status: (Empty|Uncommitted)/m.test(text) ? null : parseCertificate(text);
  },

  /** The path somebody's open transaction is about; null for none. */
  async openTransaction(): Promise<string | null> {
    return parseCertificateList(await runtime('show ssl cert')).open;
  },

  async stage(path: string, pem: string): Promise<void> {
    const command = `set ssl cert ${word(path)}`;
    const reply = await runtime(command, pem);
    // 2.6 overwrites another file's transaction and says so only by its name.
    const [, staged] = /Transaction (?:created|updated) for certificate (.+)!/.exec(reply) ?? [];
    if (staged === path) return;
    throw new RuntimeError(command, '', { kind: 'rejected', text: reply.trim() });
  },

  /** SHA-1 of the leaf that is staged for `path`. */
  async staged(path: string): Promise<string> {
    return parseCertificate(await runtime(`show ssl cert *${word(path)}`)).fingerprint;
  },

  async commit(path: string): Promise<void> {
    const command = `commit ssl cert ${word(path)}`;
    const reply = await runtime(command);
    if (/^Success!$/m.test(reply)) return;
    throw new RuntimeError(command, '', { kind: 'rejected', text: reply.trim() });
  },

  async abort(path: string): Promise<void> {
    const command = `abort ssl cert ${word(path)}`;
    const reply = await runtime(command);
    if (reply.includes('Transaction aborted')) return;
    throw new RuntimeError(command, '', { kind: 'rejected', text: reply.trim() });
  },
});
