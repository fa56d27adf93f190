import { ActFailure } from '../core/acts.ts';
import { ALREADY_THERE } from '../core/certificate-acts.ts';
import type { Risk } from '../core/acts.ts';
import type { SwapBundle, SwapPrepare } from '../core/certificate-acts.ts';
import type { CertificateReport } from '../core/model.ts';
import { blocksOf, bundleText, isKey } from './blocks.ts';
import { readCertificate, sha1Of } from './certificate.ts';
import { asFailure, refuse } from './failure.ts';
import type { SwapEntry, SwapItem } from './entry.ts';
import { lostNames, pathFor } from './names.ts';
import { PemError } from './pem-error.ts';
import { parseBundle } from './pem.ts';
import type { Bundle } from './pem.ts';
import type { HaproxyCertificates, NodeSwapParts } from './port.ts';
import { several } from './several.ts';
import { tooLargeFor } from './size.ts';

/**
 * Everything that can refuse a swap on this node, before anything of HAProxy or of the files is
 * touched. Resolves to the journal entry it would start with; rejects with ActFailure.
 */
export async function checkSwap(parts: NodeSwapParts, request: SwapPrepare): Promise<SwapEntry> {
  const { node, haproxy } = parts;
  const { swapId, coordinator, members, stamp, actor, reason, acceptRisks } = request;
  await refuseForeign(haproxy, node);
  const seen: Seen = {
    version: await haproxy.version(),
    // Only where names have to be searched are all read.
    loaded: request.bundles.some(({ path }) => path === null)
      ? await haproxy.list()
      : await loadedOf(parts, request.bundles),
  };
  const items = await several(request.bundles, (bundle) =>
    checkBundle(parts, bundle, acceptRisks, seen),
  );
  const [twice] = items.filter(({ path }, at) => items.findIndex((o) => o.path === path) !== at);
  if (twice !== undefined)
    throw refuse(
      'usage',
      'path_twice',
      `two bundles are for ${twice.path} on ${node}`,
      'one swap installs one bundle in one place',
      'push them one after the other, or name the places: --as PATH',
    );
  return { swapId, phase: 'prepared', coordinator, members, stamp, actor, reason, items };
}

/** What HAProxy was asked once for all bundles. */
interface Seen {
  readonly version: string;
  readonly loaded: readonly CertificateReport[];
}

async function loadedOf(
  { haproxy, map }: NodeSwapParts,
  bundles: readonly SwapBundle[],
): Promise<readonly CertificateReport[]> {
  const paths = bundles.flatMap(({ path }) => (path === null ? [] : [map[path] ?? path]));
  return (await haproxy.loadedAll(paths)).filter((one) => one !== null);
}

async function checkBundle(
  parts: NodeSwapParts,
  request: SwapBundle,
  acceptRisks: readonly Risk[],
  { version, loaded }: Seen,
): Promise<SwapItem> {
  const { node, haproxy, files, map } = parts;
  const bundle = bundleOf(request.pem, parts.wallMs());
  const wanted = request.path === null ? null : (map[request.path] ?? request.path);
  const before = await loadedFor(haproxy, wanted, bundle, loaded, node);
  const { path } = before;
  if (!path.startsWith('/'))
    throw refuse(
      'failed',
      'path_unsupported',
      `${path} on ${node} is not an absolute path`,
      'HAProxy knows this certificate by a name that does not say where its file is',
      'give the certificate an absolute path in the configuration',
    );
  const lost = lostNames(before.names, bundle.names);
  if (lost.length > 0 && !acceptRisks.includes('names-lost'))
    throw refuse(
      'unsafe',
      'names_lost',
      `${path} on ${node}: the new certificate does not cover what is served now`,
      `no longer covered: ${lost.join(', ')}`,
      'take a certificate with these names, or accept it: --accept-risk=names-lost',
    );
  const oldPem = await files.read(path);
  const old = oldBundle(oldPem, path, node);
  const reload = needsReload(parts, version, path, [bundle.pem, old.pem]);
  const already = before.fingerprint === bundle.sha1 && old.pem === bundle.pem;
  return {
    name: nameOf(map, path),
    path,
    already,
    reload,
    oldPem,
    newPem: bundle.pem,
    fingerprintBefore: before.fingerprint,
    fingerprintOld: old.sha1,
    fingerprint: bundle.sha1,
    sha256: bundle.sha256,
    notAfter: bundle.notAfter,
    names: bundle.names,
    warnings: [
      ...bundle.warnings,
      ...(lost.length > 0 ? [`no longer covered: ${lost.join(', ')}`] : []),
      ...(already ? [ALREADY_THERE] : []),
      ...(before.fingerprint === old.sha1
        ? []
        : [
            `memory has ${before.fingerprint} and disk ${old.sha1}: a rollback brings back the one on disk`,
          ]),
      ...(old.chainLength > 0 && bundle.chainLength === 0
        ? [`no chain in it, the one it replaces has ${old.chainLength} certificates after the leaf`]
        : []),
    ],
  };
}

/** The name that a path of this host has on every node. */
export const nameOf = (map: Readonly<Record<string, string>>, path: string): string =>
  Object.entries(map).find(([, here]) => here === path)?.[0] ?? path;

/** Rejects with `conflict` while anybody has a transaction open: HAProxy holds one, without owner. */
export async function refuseForeign(haproxy: HaproxyCertificates, node: string): Promise<void> {
  refuseOpen(await haproxy.openTransaction(), node);
}

/** Throws `conflict` where `open` is a transaction. */
export function refuseOpen(open: string | null, node: string): void {
  if (open === null) return;
  throw refuse(
    'conflict',
    'transaction_open',
    `HAProxy on ${node} has an open certificate transaction on ${open}`,
    'somebody else staged it and has neither committed nor aborted',
    `let them finish, or drop it on ${node}: abort ssl cert ${open}`,
    true,
  );
}

function bundleOf(pem: string, wallMs: number): Bundle {
  try {
    return parseBundle(pem, wallMs);
  } catch (caught) {
    if (!(caught instanceof PemError)) throw asFailure('read bundle', caught, [pem]);
    throw new ActFailure('failed', {
      code: caught.code,
      message: caught.message,
      cause: caught.why,
      remediation: caught.remedy,
    });
  }
}

async function loadedFor(
  haproxy: HaproxyCertificates,
  path: string | null,
  bundle: Bundle,
  seen: readonly CertificateReport[],
  node: string,
): Promise<CertificateReport> {
  const one = seen.find((loaded) => loaded.path === path);
  if (one !== undefined) return one;
  const loaded = path === null ? seen : await haproxy.list();
  const choice = path === null ? pathFor(bundle.names, loaded) : ({ kind: 'one', path } as const);
  const found = choice.kind === 'one' ? loaded.find((one) => one.path === choice.path) : undefined;
  if (found !== undefined) return found;
  const known = `loaded: ${loaded.map((one) => one.path).join(', ') || 'none'}`;
  if (choice.kind === 'one')
    throw refuse(
      'not-found',
      'path_unknown',
      `HAProxy on ${node} has not loaded ${choice.path}`,
      known,
      'name one of these, or add it to the configuration and reload first',
    );
  throw refuse(
    'usage',
    'path_ambiguous',
    `no single certificate on ${node} serves exactly the names of the new one`,
    choice.paths.length === 0 ? known : `candidates: ${choice.paths.join(', ')}`,
    'name the one to replace: --as PATH',
  );
}

/** The file as it must be put back; refuses one from which HAProxy's memory cannot be restored. */
function oldBundle(
  text: string,
  path: string,
  node: string,
): { pem: string; sha1: string; chainLength: number } {
  const unusable = (cause: string, remedy: string) =>
    refuse('failed', 'old_unusable', `${path} on ${node} cannot be put back`, cause, remedy);
  try {
    const blocks = blocksOf(text);
    const certificates = blocks.filter(({ label }) => label === 'CERTIFICATE');
    const [leaf] = certificates;
    if (leaf === undefined) throw unusable('the file holds no certificate', 'put a bundle there');
    if (!blocks.some(isKey))
      throw unusable(
        'the file holds no private key: HAProxy has it from another file',
        'put certificates and key into one file and reload HAProxy',
      );
    return {
      pem: bundleText(blocks),
      sha1: sha1Of(readCertificate(leaf.text, 1)),
      chainLength: certificates.length - 1,
    };
  } catch (caught) {
    if (!(caught instanceof PemError)) throw caught;
    throw unusable(caught.why, 'put the bundle there that HAProxy serves');
  }
}

/** True where only file and reload can install it; refuses where no reload is configured. */
function needsReload(
  { canReload }: NodeSwapParts,
  version: string,
  path: string,
  pems: readonly string[],
): boolean {
  const [why] = pems.map((pem) => tooLargeFor(version, path, pem)).filter((one) => one !== null);
  if (why === undefined) return false;
  if (canReload) return true;
  throw refuse(
    'failed',
    'too_large',
    `${path}: too large for the runtime API`,
    why,
    'leave out the root and what is not needed, or set haproxy.reload in agent.toml',
  );
}
