import type { Risk, SwapBundle } from '../core/acts.ts';
import { ActFailure } from '../core/results.ts';
import { ALREADY_THERE, type SwapPrepare } from '../core/certs/swap-messages.ts';
import type { CertificateReport } from '../core/model.ts';
import { RuntimeError } from '../haproxy/runtime.ts';
import { askBefore } from './asked.ts';
import { blocksOf, bundleText, isKey } from './blocks.ts';
import { readCertificate, sha1Of } from './certificate.ts';
import { notFoundByName } from './crt-ending.ts';
import { besideProblems, filesFor, filesOf, readDisk, type OnDisk } from './disk.ts';
import { asFailure, refuse } from './failure.ts';
import type { SwapEntry, SwapItem } from './entry.ts';
import { newItem, placeInto } from './into.ts';
import { loadedFor } from './loaded.ts';
import { refuseUntold } from './many-names.ts';
import { lostNames, nameOf } from './names.ts';
import { isCertificate } from './mend.ts';
import { PemError } from './pem-error.ts';
import { parseBundle } from './pem.ts';
import type { Bundle } from './pem.ts';
import type { HaproxyCertificates, NodeSwapParts, Place } from './port.ts';
import { several } from './several.ts';
import { tooLargeFor } from './size.ts';

/**
 * Everything that can refuse a swap on this node, before anything of HAProxy or of the files is
 * touched. Resolves to the journal entry it would start with; rejects with ActFailure.
 */
export async function checkSwap(parts: NodeSwapParts, request: SwapPrepare): Promise<SwapEntry> {
  const { node, haproxy } = parts;
  if (request.bundles.length > 1 && request.bundles.some(({ into }) => into !== undefined))
    throw refuse('usage', 'into_several', 'a crt-list takes one new certificate at a time');
  const { swapId, coordinator, members, stamp, actor, reason, acceptRisks } = request;
  await refuseForeign(haproxy, node);
  const seen: Seen = {
    version: await haproxy.version(),
    // Only where names have to be searched are all read.
    loaded: request.bundles.some(({ path, into }) => path === null && into === undefined)
      ? await haproxy.list()
      : await loadedOf(parts, request.bundles),
  };
  const { bundles } = request;
  const items = await several(bundles, (bundle) =>
    which(bundle, bundles, () => checkBundle(parts, bundle, acceptRisks, seen)),
  );
  const all = items.flatMap((item) => filesOf(item).map(({ path }) => path));
  const twice = all.find((path, at) => all.indexOf(path) !== at);
  if (twice !== undefined)
    throw refuse(
      'usage',
      'path_twice',
      `two bundles are for ${twice} on ${node}`,
      'one swap installs one bundle in one place',
      'push them one after the other, or name the places: --as PATH',
    );
  const { asked, around, checks } = await askBefore(parts, items, seen.version);
  return {
    swapId,
    phase: 'prepared',
    coordinator,
    members,
    stamp,
    actor,
    reason,
    items: items.map((item) => ({ ...item, checks: checks.get(item.path) ?? [] })),
    asked,
    around,
  };
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
  const paths = bundles.flatMap(({ path, into }) =>
    path === null || into !== undefined ? [] : [map[path] ?? path],
  );
  return (await haproxy.loadedAll(paths)).filter((one) => one !== null);
}

/** Of several the refusal says which one, where it names no path yet. */
async function which<T>(
  bundle: SwapBundle,
  bundles: readonly SwapBundle[],
  check: () => Promise<T>,
): Promise<T> {
  try {
    return await check();
  } catch (error) {
    if (bundles.length === 1 || !(error instanceof ActFailure)) throw error;
    const { message } = error.detail;
    if (!message.startsWith(READ) && error.detail.code !== 'path_ambiguous') throw error;
    const at = `bundle ${bundles.indexOf(bundle) + 1} of ${bundles.length}: `;
    throw new ActFailure(error.outcome, {
      ...error.detail,
      message: at + (message.startsWith(READ) ? message.slice(READ.length) : message),
    });
  }
}
const READ = 'read bundle: ';

async function checkBundle(
  parts: NodeSwapParts,
  request: SwapBundle,
  acceptRisks: readonly Risk[],
  { version, loaded }: Seen,
): Promise<SwapItem> {
  const { node, map } = parts;
  const bundle = bundleOf(request.pem, parts.wallMs());
  const { into } = request;
  const place =
    into === undefined
      ? null
      : await placeInto(parts, { path: request.path, into, bundle, version });
  if (place?.into) return newItem(nameOf(map, place.path), bundle, place);
  const wanted =
    place?.path ?? (request.path === null ? null : (map[request.path] ?? request.path));
  const known =
    place === null ? loaded : await loadedOf(parts, [{ path: place.path, pem: bundle.pem }]);
  const before = await loadedFor(parts, wanted, bundle, known);
  const { path } = before;
  const fingerprintBefore = await refuseUntold(parts, before, bundle.pem);
  const lost = lostNames(before.names, bundle.names);
  if (lost.length > 0 && !acceptRisks.includes('names-lost'))
    throw refuse(
      'unsafe',
      'names_lost',
      `${path} on ${node}: the new certificate does not cover what is served now`,
      `no longer covered: ${lost.join(', ')}`,
      'take a certificate with these names, or accept it: --accept-risk=names-lost',
    );
  const disk = await readDisk(parts, path);
  const old = oldBundle(disk, path, node);
  const already = before.fingerprint === bundle.sha1 && old.pem === bundle.pem;
  const reload = needsReload(parts, { version, path, place: disk.place }, [bundle.pem, old.pem]);
  const renewed = old.sha1 !== bundle.sha1;
  const beside = renewed
    ? await besideProblems(parts, { path, place: disk.place, pem: bundle.pem })
    : [];
  const places = {
    path,
    oldPem: disk.text,
    newPem: bundle.pem,
    files: filesFor(path, disk, bundle.pem),
  };
  return {
    name: nameOf(map, path),
    already,
    reload,
    fingerprintBefore,
    fingerprintOld: old.sha1,
    fingerprint: bundle.sha1,
    sha256: bundle.sha256,
    notAfter: bundle.notAfter,
    names: bundle.names,
    warnings: [
      ...bundle.warnings,
      ...bundle.mends.map(({ seen, done }) => `${seen}: ${done}`),
      ...(place === null ? [] : ['the list has it already: replaced, the line stays as it is']),
      ...(lost.length > 0 ? [`no longer covered: ${lost.join(', ')}`] : []),
      ...(already ? [ALREADY_THERE] : []),
      ...(before.fingerprint === old.sha1
        ? []
        : [
            `memory has ${before.fingerprint} and disk ${old.sha1}: a rollback brings back the one on disk`,
          ]),
      ...(old.chainLength > 0 && bundle.chainLength === 0
        ? [`no chain in it, the one it replaces has one of ${old.chainLength}`]
        : []),
      ...beside,
    ],
    ...places,
    into: null,
  };
}

/** Rejects with `conflict` while anybody has a transaction open: HAProxy holds one, without owner. */
export async function refuseForeign(haproxy: HaproxyCertificates, node: string): Promise<void> {
  const open = await haproxy.openTransaction().catch((caught: unknown) => {
    if (!(caught instanceof RuntimeError)) throw caught;
    throw refuse(
      'failed',
      'haproxy_unreachable',
      `HAProxy on ${node} cannot be asked`,
      caught.message,
      `on ${node}: service haproxy status`,
      true,
    );
  });
  refuseOpen(open, node);
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

/** The file as it must be put back; refuses one from which HAProxy's memory cannot be restored. */
function oldBundle(
  { text, place }: OnDisk,
  path: string,
  node: string,
): { pem: string; sha1: string; chainLength: number } {
  const unusable = (cause: string, remedy: string) =>
    refuse('failed', 'old_unusable', `${path} on ${node} cannot be put back`, cause, remedy);
  try {
    const blocks = blocksOf(text);
    const certificates = blocks.filter(isCertificate);
    const [leaf] = certificates;
    if (leaf === undefined) throw unusable('the file holds no certificate', 'put a bundle there');
    if (!blocks.some(isKey))
      throw unusable(
        `${place.certificate} holds no private key, ` +
          (place.key === null ? 'and no other file is known' : `and there is no ${place.key}`),
        'put the key there that HAProxy has loaded, then reload HAProxy',
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
  { version, path, place }: { version: string; path: string; place: Place },
  pems: readonly string[],
): boolean {
  const unfound = notFoundByName(version, path, place);
  const [large] = pems.map((pem) => tooLargeFor(version, path, pem)).filter((one) => one !== null);
  if ((unfound ?? large) === undefined) return false;
  if (canReload) return true;
  if (unfound !== null)
    throw refuse(
      'failed',
      'not_by_runtime',
      `${path}: this HAProxy replaces it by a reload only`,
      unfound,
      'update HAProxy, name the file .pem, or set haproxy.reload in agent.toml',
    );
  throw refuse(
    'failed',
    'too_large',
    `${path}: too large for the runtime API`,
    large,
    'leave out the root and what is not needed, or set haproxy.reload in agent.toml',
  );
}
