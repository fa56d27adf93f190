import test from 'ava';
import { problemOf } from '../../agent/core/deploy/deployment.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { deploymentNow } from '../../ctl/deploy/make.ts';
import { createAuthority, issueCertificate } from '../../ctl/pki/authority.ts';

const NOW_MS = 1_800_000_000_123;
const configuration = {
  form: 'file',
  files: [{ path: 'haproxy.conf', content: Buffer.from('x') }],
} as const;
const ask = { purpose: 'push', nodes: ['a', 'b'], reason: 'why', nowMs: NOW_MS } as const;

async function certificateOf(uri: string): Promise<string> {
  const ca = await createAuthority('web', 10, Date.now());
  const subject = { commonName: 'x', uri, kind: 'operator' } as const;
  const terms = { days: 5, nowMs: Date.now(), key: null };
  return (await issueCertificate(ca, subject, terms)).certificate;
}

test('an admin signs for a quarter of an hour from now, with the next number', async (t) => {
  const certificate = await certificateOf('proxyctl://web/operator/alice/admin');
  const of = (lastNumbers: readonly number[], forS?: number) =>
    deploymentNow(configuration, {
      ...ask,
      certificate,
      lastNumbers,
      ...(forS === undefined ? {} : { forS }),
    });
  const one = of([0, 5]);
  t.deepEqual(one, {
    ...configuration,
    purpose: 'push',
    nodes: ['a', 'b'],
    reason: 'why',
    pair: 'web',
    number: NOW_MS,
    madeS: 1_800_000_000,
    untilS: 1_800_000_900,
  });
  t.is(problemOf(one), null);
  t.is(of([NOW_MS + 7, 0]).number, NOW_MS + 8);
  t.is(of([], 60).untilS, 1_800_000_060);
});

test('who is no admin hears of it before anything is signed', async (t) => {
  const said = [];
  for (const uri of [
    'proxyctl://web/operator/bob/operator',
    'proxyctl://web/node/a',
    'https://x/',
  ]) {
    const certificate = await certificateOf(uri);
    const error = t.throws(
      () => deploymentNow(configuration, { ...ask, certificate, lastNumbers: [] }),
      { instanceOf: ActFailure },
    );
    said.push(`${error.outcome}: ${error.message.replace(/^.*; /, '')}`);
  }
  t.deepEqual(said, [
    'not-authorised: this certificate is of operator bob',
    'not-authorised: this certificate is of node a',
    'not-authorised: this certificate is of no pair',
  ]);
});
