import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import test from 'ava';
import { describe } from '../../agent/certs/describe.ts';
import { nodeSwap } from '../../agent/certs/swap.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { bundle, issue } from './bundles.ts';
import { prepareOf, realHost } from './real-host.ts';

const names = ['a.test'];
const old = await issue({ subject: 'CN=a.test', names });
const ca = await issue({ subject: 'CN=CA', ca: true });
const renewed = await issue({ subject: 'CN=a.test', names, issuer: ca });
const LAYOUTS = [
  { title: 'site.pem and site.pem.key', crt: 'site.pem', key: 'site.pem.key', global: [] },
  { title: 'site.crt and site.crt.key', crt: 'site.crt', key: 'site.crt.key', global: [] },
  {
    title: 'site.crt and site.key (ssl-load-extra-del-ext)',
    crt: 'site.crt',
    key: 'site.key',
    global: ['ssl-load-extra-del-ext'],
  },
];

for (const { title, crt, key, global } of LAYOUTS)
  test(`${title}: swapped in memory and in both files, and still there after a restart`, async (t) => {
    const comment = '# by hand\r\n';
    const files = { [crt]: comment + old.certificate, [key]: old.key };
    const host = await realHost(t, { files, binds: [`crt FOLDER/${crt}`], global });
    chmodSync(host.at(crt), 0o644);
    chmodSync(host.at(key), 0o400);
    const before = await host.everywhere();
    const said = await host.push([{ path: null, pem: bundle(renewed, ca) }]);
    t.deepEqual(said.certificates[0]?.warnings, [
      'certificate 2 (CN=CA) is a root: clients have it or do not trust it, leave it out',
    ]);
    t.deepEqual(
      [before, await host.everywhere()],
      [old.sha1, renewed.sha1].map((sha1) => ({ [crt]: [sha1, sha1, sha1] })),
    );
    t.deepEqual(
      [crt, key].map((name) => [host.text(name), host.mode(name)]),
      [
        [renewed.certificate + ca.certificate, '644'],
        [renewed.key, '400'],
      ],
    );
    await host.restart();
    t.deepEqual(await host.everywhere(), { [crt]: [renewed.sha1, renewed.sha1, renewed.sha1] });
    const again = await host.push([{ path: host.at(crt), pem: bundle(renewed, ca) }]);
    t.true(again.certificates[0]?.warnings.includes('already in memory and on disk'));

    // What the swap replaced comes back as it was, comment and all.
    const [kept] = await host.swap.kept();
    t.is(describe(kept?.items[0]?.oldPem ?? '')?.pem, bundle(old));
    const swapId = 'undone';
    await host.swap.prepare(prepareOf(swapId, [{ path: null, pem: bundle(old) }]));
    await host.swap.commit(swapId);
    await host.swap.abort(swapId);
    t.deepEqual(await host.everywhere(), { [crt]: [renewed.sha1, renewed.sha1, renewed.sha1] });
  });

test('an agent killed between the two files: recovery goes on from the journal, either way', async (t) => {
  const files = { 'site.pem': `# one\n${old.certificate}`, 'site.pem.key': `# two\n${old.key}` };
  const ends: unknown[] = [];
  for (const end of ['complete', 'abort'] as const) {
    const host = await realHost(t, { files, binds: ['crt FOLDER/site.pem'] });
    const { parts } = host;
    let replaced = 0;
    // Everything after the first file is what a killed agent does no more.
    const cut: typeof parts = {
      ...parts,
      files: {
        ...parts.files,
        async install(written) {
          if (++replaced > 1) return new Promise(() => undefined);
          await parts.files.install(written);
        },
      },
    };
    const dying = nodeSwap(cut);
    await dying.prepare(prepareOf('s1', [{ path: null, pem: bundle(renewed) }]));
    void dying.commit('s1');
    await new Promise<void>((resolve) => {
      const look = (): void => void (replaced > 1 ? resolve() : setImmediate(look));
      look();
    });
    t.deepEqual(
      [host.text('site.pem.key'), host.text('site.pem')],
      [renewed.key, files['site.pem']],
    );
    await host.swap[end]('s1');
    const left = readdirSync(host.at('.')).filter((name) => name.includes('proxyctl'));
    ends.push([host.text('site.pem'), host.text('site.pem.key'), await host.everywhere(), left]);
  }
  t.deepEqual(ends, [
    [
      renewed.certificate,
      renewed.key,
      { 'site.pem': [renewed.sha1, renewed.sha1, renewed.sha1] },
      [],
    ],
    [files['site.pem'], files['site.pem.key'], { 'site.pem': [old.sha1, old.sha1, old.sha1] }, []],
  ]);
});

test('a key that is nowhere is refused with where it was looked for', async (t) => {
  const files = { 'site.pem': old.certificate, 'site.pem.key': old.key };
  const host = await realHost(t, { files, binds: ['crt FOLDER/site.pem'] });
  rmSync(host.at('site.pem.key'));
  const error = await t.throwsAsync(host.push([{ path: null, pem: bundle(renewed) }]), {
    instanceOf: ActFailure,
  });
  t.like(error.detail, {
    code: 'old_unusable',
    cause: `${host.at('site.pem')} holds no private key, and there is no ${host.at('site.pem.key')}`,
  });
});

test('an OCSP response and an SCT beside it are said to be stale; an issuer of another one is refused', async (t) => {
  const other = await issue({ subject: 'CN=Other', ca: true });
  const host = await realHost(t, {
    files: { 'site.crt': bundle(old) },
    binds: ['crt FOLDER/site.crt'],
    global: ['ssl-load-extra-del-ext'],
  });
  const folder = dirname(host.at('site.crt'));
  writeFileSync(host.at('site.ocsp'), Buffer.from([0x30, 0x82, 0xff]));
  writeFileSync(host.at('site.issuer'), other.certificate);
  const refused = await t.throwsAsync(host.push([{ path: null, pem: bundle(renewed) }]), {
    instanceOf: ActFailure,
  });
  t.like(refused.detail, {
    code: 'issuer_differs',
    remediation: `put the new issuer there, or remove ${folder}/site.issuer and ${folder}/site.ocsp`,
  });
  writeFileSync(host.at('site.issuer'), ca.certificate);
  writeFileSync(host.at('site.sctl'), 'x');
  const { certificates } = await host.push([{ path: null, pem: bundle(renewed) }]);
  t.deepEqual(certificates[0]?.warnings, [
    `${folder}/site.ocsp is of the old certificate: no OCSP response is sent until it is renewed`,
    `${folder}/site.sctl is of the old certificate: renew or remove it`,
  ]);
});
