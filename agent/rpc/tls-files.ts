import { X509Certificate, createPrivateKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { parseIdentity } from '../wire/identity.ts';

/** Paths of the three PEM files of `[tls]` in agent.toml. */
export interface TlsPaths {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** The three files after every check: PEM text, ready for node:tls. */
export interface TlsPair {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** From when until when this node's certificate is good, Unix ms. */
  readonly notBeforeWallMs: number;
  readonly notAfterWallMs: number;
  /** This node's certificate and what came with it. */
  readonly chain: readonly X509Certificate[];
  /** The certificates of `ca`. */
  readonly roots: readonly X509Certificate[];
  /** Whose revocation lists count: `roots`, and the CAs between them and this node's certificate. */
  readonly issuers: readonly X509Certificate[];
}

/** A file of `[tls]` that cannot be used: which, why, and what to do. */
export class TlsError extends Error {
  override readonly name = 'TlsError';
  readonly file: string;
  readonly remedy: string;
  /** True where only the clock says so: another time may show it good. */
  readonly timely: boolean;

  constructor(
    file: string,
    problem: string,
    remedy: string,
    options?: ErrorOptions & { readonly timely?: true },
  ) {
    super(`${file}: ${problem}`, options);
    this.file = file;
    this.remedy = remedy;
    this.timely = options?.timely ?? false;
  }
}

const ISSUE = '`proxyctl pki` issues certificates';

/**
 * Reads and checks this node's CA, certificate and key: PEM, key private and
 * matching, in force at `wallMs`, issued by the CA, and named
 * `proxyctl://PAIR/node/NODE`. Throws TlsError for the first that fails.
 */
export function readTls(paths: TlsPaths, pair: string, node: string, wallMs: number): TlsPair {
  const ca = read(paths.ca);
  const cert = read(paths.cert);
  const roots = certificates(paths.ca, ca);
  const chain = certificates(paths.cert, cert);
  const leaf = chain[0];
  if (leaf === undefined) throw new TlsError(paths.cert, 'holds no certificate', ISSUE);

  const { key, parsed } = readKey(paths.key);
  if (!leaf.checkPrivateKey(parsed))
    throw new TlsError(paths.key, `does not belong to ${paths.cert}`, 'put a matching pair there');

  const notAfterWallMs = Date.parse(leaf.validTo);
  if (notAfterWallMs <= wallMs)
    throw new TlsError(paths.cert, `expired on ${day(notAfterWallMs)}`, `renew it: ${ISSUE}`, {
      timely: true,
    });
  const notBefore = Date.parse(leaf.validFrom);
  if (notBefore > wallMs)
    throw new TlsError(
      paths.cert,
      `starts on ${day(notBefore)}, later than now`,
      "set this host's clock",
      { timely: true },
    );
  const by = [...chain.slice(1), ...roots];
  if (!by.some((issuer) => leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey)))
    throw new TlsError(
      paths.cert,
      `was not issued by ${paths.ca}`,
      'put the CA that issued it there',
    );

  checkName(paths.cert, leaf, pair, node);
  const issuers = [...roots, ...chain.slice(1)];
  return { ca, cert, key, notBeforeWallMs: notBefore, notAfterWallMs, chain, roots, issuers };
}

function checkName(file: string, leaf: X509Certificate, pair: string, node: string): void {
  const wanted = `proxyctl://${pair}/node/${node}`;
  try {
    const identity = parseIdentity(leaf.subjectAltName, pair);
    if (identity.kind === 'node' && identity.node === node) return;
    const owner = identity.kind === 'node' ? identity.node : `the operator ${identity.name}`;
    throw new TlsError(file, `belongs to ${owner}, not to node ${node}`, `it must name ${wanted}`);
  } catch (error) {
    if (error instanceof TlsError) throw error;
    const said = error instanceof Error ? error.message : String(error);
    throw new TlsError(file, said, `it must name ${wanted}: ${ISSUE}`, { cause: error });
  }
}

function readKey(file: string): { readonly key: string; readonly parsed: KeyObject } {
  const key = read(file);
  if ((statSync(file).mode & 0o007) !== 0)
    throw new TlsError(file, 'can be read by others', `chmod o= ${file}`);
  try {
    return { key, parsed: createPrivateKey(key) };
  } catch (error) {
    throw new TlsError(file, 'is no PEM private key without a passphrase', ISSUE, { cause: error });
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    const problem = code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`;
    throw new TlsError(file, problem, code === 'ENOENT' ? ISSUE : 'see its owner and mode', {
      cause: error,
    });
  }
}

function certificates(file: string, pem: string): X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) throw new TlsError(file, 'holds no PEM certificate', ISSUE);
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw new TlsError(file, 'holds a damaged certificate', ISSUE, { cause: error });
  }
}

const day = (wallMs: number): string => new Date(wallMs).toISOString().slice(0, 10);
