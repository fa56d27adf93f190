import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, mkdirSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { encodeDeployment, DeploymentError } from '../../agent/core/deploy/deployment.ts';
import { unverified } from '../../agent/core/deploy/read.ts';
import { localFiles } from '../../ctl/deploy/local-files.ts';
import { signDeployment } from '../../ctl/deploy/sign.ts';
import { createAuthority, issueCertificate } from '../../ctl/pki/authority.ts';
import { deploymentOf } from './deployments.ts';

function folderOf(t: ExecutionContext): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'proxyctl-sign-')));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const openssl = (folder: string, ...args: readonly string[]) => {
  const { status, stdout, stderr } = spawnSync('openssl', args, { cwd: folder });
  return { status, stdout, stderr: String(stderr) };
};

const verify = (folder: string) =>
  openssl(
    folder,
    ...'cms -verify -binary -inform DER -in message -CAfile ca.pem -no-CApath'.split(' '),
    ...'-purpose any -signer signer.pem'.split(' '),
  );

async function operator() {
  const now = Date.now();
  const ca = await createAuthority('web', 10, now);
  const uri = 'proxyctl://web/operator/alice/admin';
  const own = await issueCertificate(
    ca,
    { commonName: 'alice', uri, kind: 'operator' },
    { days: 5, nowMs: now, key: null },
  );
  return { ca, own };
}

test('openssl verifies what an operator signed, and hands out the same bytes', async (t) => {
  const folder = folderOf(t);
  const { ca, own } = await operator();
  writeFileSync(join(folder, 'ca.pem'), ca.certificate);
  for (const bytes of [100, 3_999_000]) {
    const content = Buffer.alloc(bytes, 'a\r\n\0ä');
    const deployment = deploymentOf({ files: [{ path: 'haproxy.conf', content }] });
    const message = signDeployment(deployment, own);
    writeFileSync(join(folder, 'message'), message);
    const { status, stdout, stderr } = spawnSync(
      'openssl',
      'cms -verify -binary -inform DER -in message -CAfile ca.pem -no-CApath -purpose any'.split(
        ' ',
      ),
      { cwd: folder, maxBuffer: 1 << 24 },
    );
    t.is(status, 0, String(stderr));
    t.true(stdout.equals(encodeDeployment(deployment)));
    t.deepEqual(unverified(message), deployment);
  }
});

test('a key of RSA signs as well, in a certificate of another CA', (t) => {
  const folder = folderOf(t);
  const made = openssl(
    folder,
    ...'req -x509 -newkey rsa:2048 -nodes -subj /CN=rsa -keyout key.pem -out ca.pem'.split(' '),
  );
  t.is(made.status, 0, made.stderr);
  const read = (name: string) => String(openssl(folder, ...name.split(' ')).stdout);
  const own = { certificate: read('x509 -in ca.pem'), key: read('pkey -in key.pem') };
  writeFileSync(join(folder, 'message'), signDeployment(deploymentOf(), own));
  const { status, stderr } = verify(folder);
  t.is(status, 0, stderr);
});

test('a key that is not of the certificate, or cannot sign, is said before anything is sent', async (t) => {
  const { own } = await operator();
  const of = (key: string) => () => signDeployment(deploymentOf(), { ...own, key });
  const other = await operator();
  t.is(
    t.throws(of(other.own.key)).message,
    'the certificate and the key of this context do not belong together',
  );
  const { privateKey } = generateKeyPairSync('ed25519');
  t.is(
    t.throws(of(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())).message,
    'a key of the kind ed25519 cannot sign a configuration',
  );
  t.throws(() => signDeployment(deploymentOf({ nodes: [] }), own), { instanceOf: DeploymentError });
});

test('what is no message is a sentence, wherever it is cut off', async (t) => {
  const { own } = await operator();
  const message = signDeployment(deploymentOf(), own);
  for (let length = 0; length < message.length; length += 7)
    t.throws(() => unverified(message.subarray(0, length)), { instanceOf: DeploymentError });
  t.throws(() => unverified(Buffer.alloc(4_100_001)), { message: /4100001 bytes/ });
});

test('a file of this machine is a configuration, or a directory without what is hidden', (t) => {
  const folder = folderOf(t);
  mkdirSync(join(folder, 'conf.d/maps'), { recursive: true });
  mkdirSync(join(folder, 'conf.d/.git'));
  for (const [name, text] of [
    ['haproxy.conf', 'global\n'],
    ['conf.d/20.cfg', 'b'],
    ['conf.d/10.cfg', 'a'],
    ['conf.d/maps/x.map', 'c'],
    ['conf.d/.10.cfg.swp', 'd'],
    ['conf.d/.git/HEAD', 'e'],
  ] as const)
    writeFileSync(join(folder, name), text);
  const shown = (path: string) => {
    const { form, files } = localFiles(join(folder, path));
    return [form, ...files.map(({ path, content }) => `${path} ${String(content)}`)];
  };
  t.deepEqual(shown('haproxy.conf'), ['file', 'haproxy.conf global\n']);
  t.deepEqual(shown('conf.d'), ['directory', '10.cfg a', '20.cfg b', 'maps/x.map c']);
  symlinkSync('/etc/passwd', join(folder, 'conf.d/30.cfg'));
  t.is(
    t.throws(() => localFiles(join(folder, 'conf.d'))).message,
    `${folder}/conf.d/30.cfg is a link`,
  );
  t.is(t.throws(() => localFiles(join(folder, 'none'))).message, `${folder}/none cannot be read`);
  t.is(
    t.throws(() => localFiles('/dev/zero')).message,
    '/dev/zero is larger than a configuration can be',
  );
});
