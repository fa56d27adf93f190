import type { CertificateReport } from '../core/model.ts';
import { refuse } from './failure.ts';
import { nameOf, pathFor, type PathChoice } from './names.ts';
import type { Bundle } from './pem.ts';
import type { NodeSwapParts } from './port.ts';

/**
 * What HAProxy has loaded at `path`; null: where a certificate with the same names is. `seen`: what it
 * has loaded, as far as that is known already. Rejects with ActFailure where that is none or not one.
 */
export async function loadedFor(
  parts: NodeSwapParts,
  path: string | null,
  bundle: Bundle,
  seen: readonly CertificateReport[],
): Promise<CertificateReport> {
  const { haproxy, node } = parts;
  const one = seen.find((loaded) => loaded.path === path);
  if (one !== undefined) return one;
  const loaded = path === null ? seen : await haproxy.list();
  const choice = path === null ? await choose(parts, bundle, loaded) : pairMember(path, bundle);
  const found = choice.kind === 'one' ? loaded.find((one) => one.path === choice.path) : undefined;
  if (found !== undefined) return found;
  const known = `loaded: ${loaded.map((one) => one.path).join(', ') || 'none'}`;
  if (choice.kind === 'one')
    throw refuse(
      'not-found',
      'path_unknown',
      `HAProxy on ${node} has not loaded ${path}`,
      known,
      'name one of these, or add it to the configuration and reload first',
    );
  throw refuse(
    'usage',
    'path_ambiguous',
    choice.kind === 'same'
      ? `several certificates on ${node} serve exactly the names of the new one`
      : `no single certificate on ${node} serves exactly the names of the new one`,
    choice.paths.length === 0
      ? known
      : `candidates: ${choice.paths.map((one) => nameOf(parts.map, one)).join(', ')}`,
    'name the one to replace: --as PATH',
  );
}

/** By names; of several with the same ones, as RSA and ECDSA stand side by side, by the kind of key. */
async function choose(
  { algorithm }: NodeSwapParts,
  { names, keyType }: Bundle,
  loaded: readonly CertificateReport[],
): Promise<PathChoice> {
  const choice = pathFor(names, loaded);
  if (choice.kind !== 'same') return choice;
  const kinds = await Promise.all(choice.paths.map((path) => algorithm(path)));
  const [fits, ...more] = choice.paths.filter((_, at) => keyTypeOf(kinds[at] ?? '') === keyType);
  return fits === undefined || more.length > 0 ? choice : { kind: 'one', path: fits };
}

/** HAProxy makes `site.pem.rsa` and `site.pem.ecdsa` of one `crt site.pem`. */
const pairMember = (path: string, { keyType }: Bundle): PathChoice => ({
  kind: 'one',
  path: `${path}.${keyType === 'ec' ? 'ecdsa' : keyType}`,
});

/** Node's word for what HAProxy calls "RSA2048" or "EC256". */
const keyTypeOf = (algorithm: string): string =>
  /^[A-Z]+/i.exec(algorithm)?.[0].toLowerCase() ?? '';
