import type { InspectedCertificate } from '../../agent/core/answers.ts';

/** A certificate of which disk, memory and clients say the same. */
export const inspected = (
  sha1: string,
  more: Partial<InspectedCertificate> = {},
): InspectedCertificate => ({
  name: 'site',
  path: '/c/site.pem',
  memory: sha1,
  disk: sha1,
  served: sha1,
  sha256: 'x',
  notAfter: '2099-01-24T00:00:00Z',
  names: ['www.example.net'],
  problem: '',
  previous: null,
  renewal: '',
  ...more,
});
