import { X509Certificate } from 'node:crypto';
import type { Issued } from '../../ctl/pki/authority.ts';

/** As revocation lists have it. */
export const serialIn = ({ certificate }: Issued): string =>
  new X509Certificate(certificate).serialNumber;
