import { time } from './wish.ts';

/** The `result` of `pki init`. */
export interface AuthorityJson {
  readonly pair: string;
  readonly folder: string;
}

/** The CA that was made. */
export const authorityResult = (pair: string, folder: string): AuthorityJson => ({ pair, folder });

/** The `result` of `pki issue`: a certificate of the pair's own, its key beside it. */
export interface IssuedJson {
  readonly file: string;
  readonly kind: string;
  readonly name: string;
  readonly role: string | null;
  readonly not_after: string;
}

/** One that was issued, or is listed. */
interface Own {
  readonly file: string;
  readonly kind: string;
  readonly name: string;
  readonly role: string | null;
  readonly notAfterMs: number;
}

/** As it is on disk. */
export const issuedResult = ({ file, kind, name, role, notAfterMs }: Own): IssuedJson => ({
  file,
  kind,
  name,
  role,
  not_after: time(notAfterMs),
});

/** The `result` of `pki list`. */
export interface PkiListJson {
  readonly certificates: readonly IssuedJson[];
}

/** What there is, in the order of its listing. */
export const pkiListResult = (certificates: readonly Own[]): PkiListJson => ({
  certificates: certificates.map(issuedResult),
});

/** The `result` of `pki enroll`. */
export interface EnrolledJson {
  readonly key: string;
  readonly request: string;
  readonly token: string;
}

/** The key that was made, and what goes to the CA. */
export const enrolledResult = (made: {
  readonly key: string;
  readonly file: string;
  readonly token: string;
}): EnrolledJson => ({ key: made.key, request: made.file, token: made.token });

/** The `result` of `pki revoke`: the list that was written, and what is new on it. */
export interface RevokedJson {
  readonly file: string;
  readonly number: number;
  readonly certificates: readonly {
    readonly kind: string;
    readonly name: string;
    readonly role: string | null;
    readonly serial: string;
    readonly not_after: string;
  }[];
}

/** As the register has them. */
export const revokedResult = (done: {
  readonly file: string;
  readonly number: number;
  readonly certificates: readonly (Pick<Own, 'kind' | 'name' | 'role'> & {
    readonly serial: string;
    readonly notAfter: string;
  })[];
}): RevokedJson => ({
  file: done.file,
  number: done.number,
  certificates: done.certificates.map(({ kind, name, role, serial, notAfter }) => ({
    kind,
    name,
    role,
    serial,
    not_after: time(Date.parse(notAfter)),
  })),
});

/** The `result` of `pki publish`. */
export interface PublishedJson {
  readonly file: string;
}

/** The list that was sent. */
export const publishedResult = (file: string): PublishedJson => ({ file });

/** The `result` of `pki rotate-ca`: who has a new certificate, and for whom only the old CA vouches. */
export interface RotationJson {
  readonly step: string;
  readonly issued: readonly { readonly kind: string; readonly name: string }[];
  readonly elsewhere: readonly { readonly kind: string; readonly name: string }[];
}

/** What a step did. */
export function rotationResult(
  step: string,
  done: { readonly issued: readonly Own[]; readonly elsewhere: readonly Own[] },
): RotationJson {
  const named = (list: readonly Own[]) => list.map(({ kind, name }) => ({ kind, name }));
  return { step, issued: named(done.issued), elsewhere: named(done.elsewhere) };
}
