import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { DeployAnswer } from '../../agent/core/deploy/deployments.ts';
import type { Deployment } from '../../agent/core/deploy/deployment.ts';
import { encodeDeployment } from '../../agent/core/deploy/deployment.ts';
import { certify, type Issued } from '../../ctl/pki/authority.ts';
import { importKey } from '../../ctl/pki/keys.ts';
import { createCa } from '../rpc/certificates.ts';
import { asRoot } from './somebody.ts';
import { deployingHost, deployment, NEW, OLD, pkiOf, sign } from './deploying.ts';

// The agent's user has been taken over, and brings root whatever it likes.

const pki = await pkiOf();
const alice = await pki.operator('alice', 'admin');
const foreign = 'altered, or signed by nobody whom FOLDER/ca.pem vouches for';

/** What root says to this message, and that neither haproxy.conf nor the check saw any of it. */
async function refusals(
  t: ExecutionContext,
  messages: readonly Buffer[],
  host: Awaited<ReturnType<typeof deployingHost>>,
): Promise<string[]> {
  const said: string[] = [];
  for (const message of messages) {
    const answer = await host.deployments.install(message, null);
    said.push(whyOf(answer, host.folder));
  }
  t.deepEqual([host.text(), host.checked()], [OLD, []]);
  t.deepEqual(host.left().etc, ['haproxy.conf']);
  return said;
}

const whyOf = (answer: DeployAnswer, folder: string): string =>
  `${answer.kind}: ${answer.kind === 'done' ? '' : answer.why.replaceAll(folder, 'FOLDER')}`;

asRoot('what an admin of the pair has signed is installed', async (t) => {
  const host = await deployingHost(t, pki);
  const answer = await host.deployments.install(sign(deployment(), alice), null);
  t.deepEqual(answer, { kind: 'done', lines: [`[NOTICE] ${host.config}:1 read`] });
  t.is(host.text(), NEW);
});

asRoot('who is not an admin of the pair by a certificate of its CA signs nothing', async (t) => {
  const host = await deployingHost(t, pki);
  const [bob, eve, node] = [
    await pki.operator('bob', 'operator'),
    await pki.operator('eve', 'viewer'),
    await pki.issue('node/haproxy02', 'node'),
  ];
  const other = await pkiOf('web');
  const mallory = await other.operator('alice', 'admin');
  const elsewhere = await issueFor('proxyctl://mail/operator/alice/admin');
  const longer = await issueFor('proxyctl://web/operator/alice/admin/admin');
  const nobody = await issueFor('proxyctl://web/operator//admin');
  const past = await pki.issue('operator/old/admin', 'operator', Date.now() - 20 * 86_400_000);
  const future = await pki.issue('operator/new/admin', 'operator', Date.now() + 20 * 86_400_000);
  // An operator's certificate is no CA, and what it vouches for is worth nothing.
  const below = await issueFor('proxyctl://web/operator/alice/admin', bob);
  const signers = [bob, eve, node, mallory, elsewhere, longer, nobody, past, future, below];
  const said = await refusals(
    t,
    signers.map((by) => sign(deployment(), by)),
    host,
  );
  const role = 'a configuration needs an operator with the role admin';
  t.deepEqual(said, [
    `refused: signed by bob/operator; ${role}`,
    `refused: signed by eve/viewer; ${role}`,
    'refused: signed by a node; only an operator can',
    `refused: ${foreign}`,
    'refused: signed by nobody of the pair web',
    'refused: no name of an operator: URI:proxyctl://web/operator/alice/admin/admin',
    'refused: no name of an operator: URI:proxyctl://web/operator//admin',
    'refused: the certificate of who signed it has expired',
    'refused: the certificate of who signed it is not yet valid: compare the clocks',
    `refused: ${foreign}`,
  ]);
});

const issueFor = async (uri: string, by: Issued = pki.ca): Promise<Issued> => {
  const { key } = await pki.operator('x', 'admin');
  const { publicKey } = await importKey(key);
  const subject = { commonName: 'x', uri, kind: 'operator' } as const;
  return {
    key,
    certificate: await certify(by, subject, publicKey, { days: 1, nowMs: Date.now() }),
  };
};

asRoot('a certificate with a second name signs nothing, whatever the first one is', async (t) => {
  const ca = await createCa('proxyctl CA of web');
  const host = await deployingHost(t, { ...pki, ca: { certificate: ca.certPem, key: ca.keyPem } });
  const name = 'proxyctl://web/operator/alice/admin';
  const by = async (...names: readonly string[]): Promise<Buffer> => {
    const { certPem, keyPem } = await ca.issue(names);
    return sign(deployment(), { certificate: certPem, key: keyPem });
  };
  const messages = [
    await by(name, 'proxyctl://web/operator/bob/viewer'),
    await by('proxyctl://web/operator/bob/viewer', name),
    await by('www.example.net', name),
    await by('proxyctl://web/operator/a b/admin'),
  ];
  const other = 'refused: signed by a certificate with other names beside the one';
  t.deepEqual(await refusals(t, messages, host), [other, other, other, other]);
  t.is((await host.deployments.install(await by(name), null)).kind, 'done');
});

asRoot('a message altered in any byte, cut off, or with more behind it is refused', async (t) => {
  const host = await deployingHost(t, pki);
  const signed = deployment();
  const message = sign(signed, alice);
  const altered: Buffer[] = [];
  // What is said, who says it, and how it is signed. Of a number around it openssl may not care.
  const parts = [
    encodeDeployment(signed),
    new X509Certificate(alice.certificate).raw.subarray(4, -90),
    message.subarray(-60),
  ].map((part) => ({ from: message.indexOf(part), length: part.length }));
  const places = parts.flatMap(({ from, length }) =>
    Array.from({ length: Math.ceil(length / 29) }, (_, at) => from + at * 29),
  );
  for (const at of places) {
    const one = Buffer.from(message);
    one[at] = (one[at] ?? 0) ^ 0x01;
    altered.push(one);
  }
  const text = Buffer.from(message);
  text.set(Buffer.from('9'), text.indexOf('maxconn 200') + 8);
  altered.push(text, message.subarray(0, -1), message.subarray(0, 100), Buffer.from('x'));
  const said = await refusals(t, altered, host);
  t.true(
    said.every((one) => one.startsWith('refused: ')),
    said.join('\n'),
  );
  t.true(said.includes(`refused: ${foreign}`));
  t.deepEqual(host.left().store, []);
});

asRoot('a certificate of an admin that only lies in the message signs nothing', async (t) => {
  const host = await deployingHost(t, pki);
  const bob = await pki.operator('bob', 'operator');
  const file = (name: string, text: string | Buffer): string => {
    writeFileSync(join(host.folder, name), text);
    return join(host.folder, name);
  };
  const content = file('content', encodeDeployment(deployment()));
  const made = (...more: readonly string[]): Buffer => {
    const out = join(host.folder, 'out');
    const to = ['cms', '-sign', '-binary', '-nodetach', '-outform', 'DER', '-in', content];
    execFileSync('openssl', to.concat('-out', out, more));
    return readFileSync(out);
  };
  const [bobs, alices] = [
    ['-signer', file('bob.pem', bob.certificate), '-inkey', file('bob.key', bob.key)],
    ['-signer', file('alice.pem', alice.certificate), '-inkey', file('alice.key', alice.key)],
  ];
  const said = await refusals(
    t,
    [made(...bobs, '-certfile', file('alice.pem', alice.certificate)), made(...bobs, ...alices)],
    host,
  );
  t.deepEqual(said, [
    'refused: signed by bob/operator; a configuration needs an operator with the role admin',
    'refused: signed by more than one',
  ]);
  t.is((await host.deployments.install(made(...alices), null)).kind, 'done');
});

asRoot('what is for another pair, another node or another time is refused', async (t) => {
  const host = await deployingHost(t, pki);
  const nowS = Math.floor(Date.now() / 1000);
  const cases: readonly [Partial<Deployment>, RegExp][] = [
    [{ pair: 'mail' }, /^refused: for the pair mail, not web$/],
    [
      { nodes: ['haproxy02', 'haproxy011'] },
      /^refused: for haproxy02 haproxy011, not for haproxy01$/,
    ],
    [
      { madeS: nowS - 900, untilS: nowS - 100 },
      /^refused: its time was over 1\d\d s ago by this host's clock: sign it again$/,
    ],
    [
      { madeS: nowS + 500, untilS: nowS + 900 },
      /^refused: signed by a clock that is \d+ s ahead of this host's: set the clocks$/,
    ],
    [{ purpose: 'check' }, /^refused: signed for a check: it is not installed$/],
    [
      { form: 'directory' },
      /^refused: signed as a directory, and FOLDER\/etc\/haproxy.conf is a file$/,
    ],
  ];
  for (const [change, why] of cases) {
    const answer = await host.deployments.install(sign(deployment(change), alice), null);
    t.regex(whyOf(answer, host.folder), why);
  }
  t.is(host.text(), OLD);
  // The clocks of two hosts are never quite the same.
  const ahead = deployment({ madeS: nowS + 60, untilS: nowS + 900 });
  t.is((await host.deployments.install(sign(ahead, alice), null)).kind, 'done');
});

asRoot('what is not newer than the last one is refused, a replay among it', async (t) => {
  const host = await deployingHost(t, pki);
  const withheld = sign(deployment({}, `${NEW}# withheld\n`), alice);
  const one = deployment();
  t.is((await host.deployments.install(sign(one, alice), null)).kind, 'done');
  for (const message of [withheld, sign(one, alice)])
    t.regex(
      whyOf(await host.deployments.install(message, null), host.folder),
      /^refused: its number is \d+, and \d+ was installed here: sign it again$/,
    );
  t.is((await host.deployments.back(one.number)).kind, 'done');
  t.regex(
    whyOf(await host.deployments.check(sign(one, alice)), host.folder),
    /^refused: its number is/,
  );
  t.is(host.text(), OLD);
});

asRoot('who is revoked signs nothing more, and no older list undoes it', async (t) => {
  const host = await deployingHost(t, pki);
  const [eve, bob] = [await pki.operator('eve', 'admin'), await pki.operator('bob', 'admin')];
  const install = async (by: Issued): Promise<string> =>
    whyOf(await host.deployments.install(sign(deployment(), by), null), host.folder);
  await host.deployments.revocations(await pki.crl([], 0x100));
  t.is(await install(eve), 'done: ');
  await host.deployments.revocations(await pki.crl([eve], 0x7fff_0000));
  const revoked = 'refused: the certificate of who signed it was revoked';
  t.is(await install(eve), revoked);
  t.is(await install(bob), 'done: ');
  const stranger = await pkiOf('web');
  for (const list of [
    await pki.crl([], 0x101),
    await pki.crl([], 0x7fff_0000),
    await stranger.crl([], 0x7fff_ffff),
    `-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n`,
    'nothing',
  ])
    await host.deployments.revocations(list);
  t.is(await install(eve), revoked);
  await host.deployments.revocations(
    `${await stranger.crl([bob], 0x7fff_ffff)}${await pki.crl([eve, alice], 0x7fff_0001)}`,
  );
  t.deepEqual(
    [await install(eve), await install(alice), await install(bob)],
    [revoked, revoked, 'done: '],
  );
});

asRoot(
  'what is signed and not written as it has to be is refused before it is unpacked',
  async (t) => {
    const host = await deployingHost(t, pki);
    writeFileSync(join(host.folder, 'alice.pem'), alice.certificate);
    writeFileSync(join(host.folder, 'alice.key'), alice.key);
    const signed = (content: string): Buffer => {
      const args = ['cms', '-sign', '-binary', '-nodetach', '-outform', 'DER'];
      const keys = [
        '-signer',
        join(host.folder, 'alice.pem'),
        '-inkey',
        join(host.folder, 'alice.key'),
      ];
      return execFileSync('openssl', [...args, ...keys], { input: content });
    };
    const good = encodeDeployment(deployment({}, 'x\n')).toString();
    const cases: readonly (readonly [string | RegExp, string, string])[] = [
      ['deployment 1', 'deployment 2', 'its format is 2, this helper reads 1'],
      ['proxyctl-', '', 'not written as this helper reads it: no proxyctl-deployment'],
      ['purpose push', 'purpose other', 'no purpose: other'],
      ['pair web\n', '', 'not written as this helper reads it: no pair'],
      [/until \d+/, 'until 9999999999', 'in force for more than 86400 s'],
      [/number \d+/, 'number 0', 'no number: 0'],
      [/number (\d+)/, 'number 0$1', 'no number: NUMBER'],
      [/made (\d+)/, 'made $1;id', 'no number: NUMBER;id'],
      ['form file', 'form folder', 'signed as a folder, and FOLDER/etc/haproxy.conf is a file'],
      ['more room', 'more\tro\u001bom', 'a control character in its header'],
      ['haproxy.conf', '../haproxy.conf', 'no path of a configuration: ../haproxy.conf'],
      ['haproxy.conf', '/etc/passwd', 'no path of a configuration: /etc/passwd'],
      ['haproxy.conf', '.haproxy.conf', 'no path of a configuration: .haproxy.conf'],
      ['haproxy.conf', 'a//b', 'no path of a configuration: a//b'],
      ['haproxy.conf', 'a/', 'no path of a configuration: a/'],
      ['haproxy.conf', '$(id)', 'no path of a configuration: $(id)'],
      ['haproxy.conf', 'a b', 'not a path and a length'],
      ['haproxy.conf', 'a'.repeat(201), 'not a path and a length'],
      ['file haproxy.conf 2\n', 'file a 1\nfile a 1\n', 'twice: a'],
      ['file haproxy.conf 2\n', 'file a 1\nfile b 1\n', 'one file has one, and it is not empty'],
      ['file haproxy.conf 2\n', 'exec a 2\n', 'not written as this helper reads it: no file'],
      ['file haproxy.conf 2\n', '', 'its files are not as long as its header says'],
      ['conf 2', 'conf 02', 'no length: 02'],
      ['conf 2', 'conf -2', 'no length: -2'],
      ['conf 2', 'conf 3', 'its files are not as long as its header says'],
      ['conf 2', 'conf 1', 'its files are not as long as its header says'],
      ['more room', 'more\0room', 'its files are not as long as its header says'],
      [/\n\n[^]*/, '\n', 'its files are not as long as its header says'],
      [
        'file haproxy.conf 2\n',
        Array.from({ length: 201 }, (_, at) => `file ${at} 0\n`).join(''),
        'more than 200 files',
      ],
    ];
    const messages = cases.map(([from, to]) => signed(good.replace(from, to)));
    const said = await refusals(t, messages, host);
    t.deepEqual(
      said.map((one) => one.replaceAll(/\d{10,}/g, 'NUMBER')),
      cases.map(([, , why]) => `refused: ${why}`),
    );
    t.is((await host.deployments.install(signed(good), null)).kind, 'done');
  },
);

asRoot('a revocation list of a clock that is ahead is said', async (t) => {
  const host = await deployingHost(t, pki);
  await host.deployments.revocations(await pki.crl([], 7, Date.now() + 3_600_000));
  const answer = await host.deployments.check(sign(deployment(), alice));
  t.is(
    whyOf(answer, host.folder),
    "refused: the revocation list is not in force by this host's clock: compare the clocks, publish another",
  );
});

asRoot('while the CA is replaced each vouches for its own, with the list of its own', async (t) => {
  const next = await pkiOf('web');
  const both = {
    ...pki,
    ca: { ...pki.ca, certificate: `${next.ca.certificate}${pki.ca.certificate}` },
  };
  const host = await deployingHost(t, both);
  const [carol, dave] = [
    await next.operator('carol', 'admin'),
    await next.operator('dave', 'admin'),
  ];
  const install = async (by: Issued): Promise<string> =>
    whyOf(await host.deployments.install(sign(deployment(), by), null), host.folder);
  await host.deployments.revocations(await pki.crl([alice], 5));
  t.deepEqual(
    [await install(carol), await install(alice)],
    ['done: ', 'refused: the certificate of who signed it was revoked'],
  );
  await host.deployments.revocations(await next.crl([carol], 5));
  t.deepEqual(
    [await install(carol), await install(dave)],
    ['refused: the certificate of who signed it was revoked', 'done: '],
  );
});

asRoot('a CA that only the system trusts vouches for nobody', async (t) => {
  // By another name: a CA of the same name is not looked for elsewhere.
  const other = await pkiOf('mail');
  const host = await deployingHost(t, pki);
  // As if it lay in openssl's own directory.
  const certs = join(host.folder, 'openssl-certs');
  execFileSync('mkdir', [certs]);
  writeFileSync(join(host.folder, 'other.pem'), other.ca.certificate);
  const hash = execFileSync('openssl', [
    'x509',
    '-in',
    join(host.folder, 'other.pem'),
    '-noout',
    '-hash',
  ]);
  writeFileSync(join(certs, `${String(hash).trim()}.0`), other.ca.certificate);
  writeFileSync(
    join(host.folder, 'base/openssl'),
    `#!/bin/sh\nSSL_CERT_DIR=\${SSL_CERT_DIR:-${certs}} exec /usr/bin/openssl "$@"\n`,
    { mode: 0o755 },
  );
  const mallory = await issueFor('proxyctl://web/operator/alice/admin', other.ca);
  const answer = await host.deployments.install(sign(deployment(), mallory), null);
  t.is(whyOf(answer, host.folder), `refused: ${foreign}`);
});

asRoot('where root does not allow it nothing is taken', async (t) => {
  const host = await deployingHost(t, pki, { options: { deploy: null } });
  for (const words of [['deploy-list'], ['deploy-back', '1'], ['deploy-keep', '1']])
    t.is(
      await host.answer(...words),
      'refused: not allowed here: [haproxy] deploy = true in agent.toml, and a restart of the agent',
    );
  t.false(existsSync(host.store));
  t.deepEqual(readdirSync(join(host.folder, 'etc')), ['haproxy.conf']);
});
