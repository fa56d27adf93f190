import test from 'ava';
import { describe } from '../../agent/certs/describe.ts';
import { createCa } from '../rpc/certificates.ts';

test('a bundle on disk tells who issued it, and what is no certificate tells nothing', async (t) => {
  const { certPem } = await (await createCa('issuers')).issue(['proxyctl://web/node/x']);
  const found = describe(certPem);
  t.is(found?.issuer, 'issuers');
  t.is(describe('nothing'), null);
});
