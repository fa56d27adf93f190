import test from 'ava';
import type { ActHeader } from '../../agent/core/acts.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { pushCertificate } from '../../agent/verbs/push.ts';
import { NOW } from '../reports.ts';
import { FakeClock } from '../fake-clock.ts';
import { memberOf, pairOf } from '../scripted.ts';

const HEADER: ActHeader = {
  requestId: 'r',
  actor: 'anna',
  reason: '',
  acceptRisks: [],
  dryRun: false,
  timeoutMs: null,
  seen: null,
};

const inspected = (name: string) => ({
  name,
  path: name,
  memory: null,
  disk: null,
  served: null,
  sha256: null,
  notAfter: '',
  names: [],
  problem: '',
  previous: null,
  renewal: '',
});

/** What a push without a path says where each node has these loaded, all of them candidates. */
async function refusal(loaded: readonly (readonly string[] | null)[], dryRun: boolean) {
  const members = loaded.map((names, at) =>
    memberOf(`haproxy0${at + 1}`, {
      swapPrepare: () =>
        Promise.reject(
          new ActFailure('usage', {
            code: 'path_ambiguous',
            message: 'no single certificate',
            cause: `candidates: ${(names ?? ['/x.pem']).join(', ')}`,
            remediation: 'name the one to replace: --as PATH',
          }),
        ),
      swapAbort: () => Promise.resolve({ node: `haproxy0${at + 1}`, certificates: [] }),
      inspectCertificates: () =>
        names === null ? Promise.reject(new Error('no')) : Promise.resolve(names.map(inspected)),
    }),
  );
  const clock = new FakeClock({ wallMs: NOW });
  const pair = pairOf(members, { clock });
  const act = { header: { ...HEADER, dryRun }, bundles: [{ path: null, pem: 'PEM' }] };
  const { outcome, error } = await pushCertificate(pair, act, () => undefined);
  return [outcome, error?.cause, error?.remediation];
}

const AS = 'name the one to replace: --as PATH';

test('places that every node can take are offered, those of one are named as such', async (t) => {
  for (const dryRun of [true, false])
    t.deepEqual(
      await refusal(
        [
          ['/a.pem', '/b.pem'],
          ['/b.pem', '/c.pem'],
        ],
        dryRun,
      ),
      ['usage', 'candidates: /b.pem; /a.pem only on haproxy01; /c.pem only on haproxy02', AS],
    );
});

test('no place on every node, and a node that does not say what it has', async (t) => {
  t.deepEqual(await refusal([['/a.pem'], ['/b.pem']], true), [
    'usage',
    'no candidate is on every node; /a.pem only on haproxy01; /b.pem only on haproxy02',
    'name a certificate that every node has: --as PATH (proxyctl cert list), or one name for both ' +
      'places: certificates.map of agent.toml',
  ]);
  t.deepEqual(await refusal([['/a.pem', '/b.pem'], null], true), [
    'usage',
    'candidates: /a.pem, /b.pem',
    AS,
  ]);
});
