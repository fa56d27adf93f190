import { shownValues } from './certificates.ts';
import { word, type Runtime } from './runtime.ts';

/** What `show ssl cert` says of a certificate besides what it is valid for. */
export interface CertificateDetails {
  /** "RSA2048", "EC256"; empty: not said. */
  readonly algorithm: string;
  /** Its files in the words of the configuration, no base applied; empty: not said (before 3.0). */
  readonly crt: string;
  readonly key: string;
}

/** Parses them out of `show ssl cert FILE`; null where it shows no certificate. */
export function parseDetails(text: string): CertificateDetails | null {
  const values = shownValues(text);
  const value = (key: string): string => values.get(key)?.trim() ?? '';
  if (value('Filename') === '') return null;
  return {
    algorithm: value('Algorithm'),
    crt: value('Crt filename'),
    key: value('Key filename'),
  };
}

/** Asks for them; null where the certificate is not loaded. Rejects with RuntimeError. */
export const certificateDetails = async (
  runtime: Runtime,
  path: string,
): Promise<CertificateDetails | null> => parseDetails(await runtime(`show ssl cert ${word(path)}`));
