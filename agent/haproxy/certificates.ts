import type { CertificateReport } from '../core/model.ts';
import { crtListCommands } from './crt-list-commands.ts';
import { RuntimeError, word, type Runtime } from './runtime.ts';

/** `show ssl cert FILE` as HAProxy prints it. */
interface Shown {
  readonly path: string;
  readonly fingerprint: string;
  readonly notAfter: string;
  readonly names: readonly string[];
}

/** The `Key: value` lines of `show ssl cert FILE`. */
export function shownValues(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, key, value] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    if (key !== undefined && !values.has(key)) values.set(key, value ?? '');
  }
  return values;
}

/**
 * Parses `show ssl cert FILE`, unknown values let pass.
 * Throws RuntimeError when the file, the fingerprint or the end is missing.
 */
export function parseCertificate(text: string): Shown {
  const values = shownValues(text);
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
  ...crtListCommands(runtime),

  /** Of every certificate that is loaded. */
  paths: () => pathsOf(runtime),

  /** Every certificate that is loaded and not empty. */
  async list(): Promise<CertificateReport[]> {
    return (await loadedAll(runtime, await pathsOf(runtime))).filter((one) => one !== null);
  },

  /** One of them; null where it is not loaded or empty. */
  async loaded(path: string): Promise<CertificateReport | null> {
    return parseLoaded(await showOne(runtime, path));
  },

  /** Several of them, in the order of `paths`. */
  loadedAll: (paths: readonly string[]) => loadedAll(runtime, paths),

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

  /** Resolves to the path of a transaction that is open afterwards; null: none. */
  async commit(path: string): Promise<string | null> {
    const command = `commit ssl cert ${word(path)}`;
    // The look costs a connection less here, and the next bundle needs it anyway.
    const reply = await runtime(`${command};show ssl cert`);
    const [said = '', ...list] = reply.split('\n\n');
    if (/^Success!$/m.test(said)) return parseCertificateList(list.join('\n')).open;
    throw new RuntimeError(command, '', { kind: 'rejected', text: said.trim() });
  },

  async abort(path: string): Promise<void> {
    const command = `abort ssl cert ${word(path)}`;
    const reply = await runtime(command);
    if (reply.includes('Transaction aborted')) return;
    throw new RuntimeError(command, '', { kind: 'rejected', text: reply.trim() });
  },
});

const pathsOf = async (runtime: Runtime): Promise<readonly string[]> =>
  parseCertificateList(await runtime('show ssl cert')).paths;

const showOne = (runtime: Runtime, path: string): Promise<string> =>
  runtime(`show ssl cert ${word(path)}`);

/** In bytes: command lines this long fit HAProxy's buffer (tune.bufsize) with room to spare. */
const LINE_LIMIT = 4000;

/**
 * Many `show ssl cert FILE` on few connections: a connection each costs more than the answer.
 * Each answer ends with an empty line and holds none; where the count is not right, one by one.
 */
async function loadedAll(
  runtime: Runtime,
  paths: readonly string[],
): Promise<(CertificateReport | null)[]> {
  const found: (CertificateReport | null)[] = [];
  for (let at = 0; at < paths.length;) {
    const some = fitting(paths.slice(at));
    at += some.length;
    const reply = await runtime(some.map((path) => `show ssl cert ${word(path)}`).join(';'));
    const answers = reply.split('\n\n').slice(0, -1);
    if (answers.length === some.length) found.push(...answers.map(parseLoaded));
    else for (const path of some) found.push(parseLoaded(await showOne(runtime, path)));
  }
  return found;
}

/** As many of the first paths as one command line holds; at least one. */
function fitting(paths: readonly string[]): readonly string[] {
  let bytes = 0;
  const over = paths.findIndex((path, at) => {
    bytes += Buffer.byteLength(path) + 'show ssl cert ;'.length;
    return at > 0 && bytes > LINE_LIMIT;
  });
  return over < 0 ? paths : paths.slice(0, over);
}

function parseLoaded(text: string): CertificateReport | null {
  if (/^Can't display the certificate/m.test(text)) return null;
  return /^Status: (Empty|Uncommitted)/m.test(text) ? null : parseCertificate(text);
}
