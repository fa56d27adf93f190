import { authorityResult, enrolledResult, issuedResult } from '../../../ctl/json/pki.ts';
import { pkiListResult, publishedResult } from '../../../ctl/json/pki.ts';
import { revokedResult, rotationResult } from '../../../ctl/json/pki.ts';
import { time } from '../../../ctl/json/wish.ts';

const issued = { file: 'a.pem', kind: 'node', name: 'a', role: null, notAfterMs: Date.now() };

/** Full results of `pki`, by the headings of docs/json.md. */
export const PKI_EXAMPLES = {
  'pki init': [authorityResult('web', 'pki')],
  'pki issue': [issuedResult(issued)],
  'pki list': [pkiListResult([issued])],
  'pki renew': [pkiListResult([issued])],
  'pki enroll': [enrolledResult({ key: 'anna.key', file: 'anna.csr', token: 'T' })],
  'pki approve': [issuedResult(issued)],
  'pki revoke': [
    revokedResult({
      file: 'crl.pem',
      number: 1,
      certificates: [{ kind: 'node', name: 'n', role: null, serial: '1', notAfter: time(0) }],
    }),
  ],
  'pki publish': [publishedResult('crl.pem')],
  'pki rotate-ca': [rotationResult('issue', { issued: [issued], elsewhere: [issued] })],
};
