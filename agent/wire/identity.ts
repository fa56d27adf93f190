import type { Role } from '../core/acts.ts';

/** Who a certificate says it belongs to. */
export type Identity =
  | { readonly kind: 'node'; readonly node: string }
  | { readonly kind: 'operator'; readonly name: string; readonly role: Role };

/** A certificate whose name cannot be accepted, and why. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError';
}

const ROLES = ['viewer', 'operator', 'admin'] as const satisfies readonly Role[];
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/;
// One entry of Node's subjectAltName string; Node quotes values as JSON where they could be mistaken for more entries.
const ENTRY = /\s*([^:,"]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:,|$)/y;

/**
 * The identity in a certificate: the one URI of its subjectAltName (as Node
 * prints it) of the form `proxyctl://PAIR/node/NAME` or
 * `proxyctl://PAIR/operator/NAME/ROLE`. Nothing else in the certificate is
 * read. Throws IdentityError for none, several, another pair or another form.
 */
export function parseIdentity(subjectAltName: string | undefined, pair: string): Identity {
  const uris = entries(subjectAltName ?? '').filter(({ kind, value }) => {
    return kind === 'URI' && /^"?proxyctl:/i.test(value);
  });
  const uri = uris[0]?.value;
  if (uri === undefined) throw new IdentityError('the certificate carries no proxyctl:// name');
  if (uris.length > 1)
    throw new IdentityError(
      `the certificate carries ${uris.length} proxyctl:// names, one is allowed`,
    );
  const [scheme, empty, ofPair, kind, name = '', ...rest] = uri.split('/');
  const malformed = new IdentityError(`${JSON.stringify(uri)} is no proxyctl name`);
  if (scheme !== 'proxyctl:' || empty !== '' || !NAME.test(name)) throw malformed;
  if (ofPair !== pair)
    throw new IdentityError(`${JSON.stringify(uri)} belongs to another pair than ${pair}`);
  if (kind === 'node' && rest.length === 0) return { kind, node: name };
  const role = ROLES.find((known) => known === rest[0]);
  if (kind === 'operator' && role !== undefined && rest.length === 1) return { kind, name, role };
  throw malformed;
}

/** How an identity is called in sentences. */
export const describeIdentity = (identity: Identity): string =>
  identity.kind === 'node' ? `node ${identity.node}` : `${identity.role} ${identity.name}`;

/** The pair that a certificate's proxyctl:// name belongs to; null where it has none. */
export function pairIn(subjectAltName: string | undefined): string | null {
  const names = entries(subjectAltName ?? '').map(({ value }) => value.split('/'));
  return names.find(([scheme]) => scheme === 'proxyctl:')?.[2] ?? null;
}

function entries(subjectAltName: string): { readonly kind: string; readonly value: string }[] {
  const found = [];
  ENTRY.lastIndex = 0;
  while (ENTRY.lastIndex < subjectAltName.length) {
    const [, kind, value] = ENTRY.exec(subjectAltName) ?? [];
    if (kind === undefined || value === undefined)
      throw new IdentityError('the names in the certificate cannot be read');
    found.push({ kind, value });
  }
  return found;
}
