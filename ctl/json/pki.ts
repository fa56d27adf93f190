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
