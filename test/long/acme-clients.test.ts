import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import anyTest from 'ava';
import { SITE_NAMES, sha1Of } from '../lab/certificates.ts';
import { proxyctl, served, type Ran } from '../lab/client.ts';
import { ran } from '../lab/client.ts';
import { inside, labEnvironment } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import { missing, startPebble, type Pebble } from '../lab/pebble.ts';
import { calm, nodeAt, scene } from '../pair/scene.ts';

const { test, lab } = scene();

const programs = ['pebble', 'pebble-challtestsrv', 'certbot', 'dehydrated', 'lego'];
const absent = missing(...programs);
/** `test`, or its skip where a program is not installed. */
const tried = (...needed: readonly string[]): typeof test =>
  absent.some((name) => [...needed, 'pebble', 'pebble-challtestsrv'].includes(name))
    ? anyTest.serial.skip
    : test;

let pebble: Pebble | null = null;
anyTest.serial.before('pebble is up', async () => {
  if (absent.includes('pebble') || absent.includes('pebble-challtestsrv')) return;
  pebble = await startPebble(lab());
  await calm(lab());
});
anyTest.serial.after.always('pebble is down', async () => pebble?.end());

/** Clients pause for seconds between their questions, and there are a dozen names. */
const CLIENT_MS = 300_000;

const hook = (name: string): string => join(CHECKOUT, 'packaging/hooks', name);

/** Runs a client on the first host, as cron would, with proxyctl in its PATH. */
function onHost(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const { name } = nodeAt(lab(), 0);
  const all = { ...process.env, ...labEnvironment(lab(), null), ...env };
  return ran(inside(lab(), name, argv), all, CLIENT_MS);
}

/** A directory of its own for a client. */
function folder(name: string): string {
  const path = join(lab().runtime, name);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

const ca = (): Pebble => {
  if (pebble === null) throw new Error('pebble is not up');
  return pebble;
};

const said = ({ code, stdout, stderr }: Ran): string =>
  `exit ${code}\n${stdout}\n${stderr}\n${ca().log()}`;

/** The webroot of the first host's agent; the second asks it. */
function webroot(): string {
  const path = join(nodeAt(lab(), 0).agent_config, '../webroot');
  mkdirSync(path, { recursive: true });
  return path;
}

/** The certificate in the file is what both hosts serve, and no token is left. */
async function installed(file: string): Promise<unknown> {
  const sha1 = sha1Of(readFileSync(file, 'utf8'));
  const now = await Promise.all(lab().nodes.map(({ address4 }) => served(lab(), address4)));
  const { stdout } = await proxyctl(lab(), ['acme', 'list']);
  return { served: now.map((one) => one === sha1), tokens: stdout };
}
const everywhere = { served: [true, true], tokens: '' };

const domains = SITE_NAMES.flatMap((name) => ['-d', name]);

tried('certbot')(
  'certbot with its three hooks: issued by the CA and served by both hosts',
  async (t) => {
    const dir = folder('certbot');
    const places = ['config', 'work', 'logs'].flatMap((name) => [`--${name}-dir`, join(dir, name)]);
    const account = ['-n', '--agree-tos', '--register-unsafely-without-email'];
    const server = ['--no-verify-ssl', '--server', ca().directory];
    const hooks = ['--manual-auth-hook', `${hook('certbot')} auth`].concat(
      ['--manual-cleanup-hook', `${hook('certbot')} cleanup`],
      ['--deploy-hook', `${hook('certbot')} deploy`],
    );
    const manual = ['--manual', '--preferred-challenges', 'http'];
    const argv = ['certbot', 'certonly', ...manual, ...account, ...server, ...hooks].concat(
      places,
      domains,
    );
    const done = await onHost(argv);
    t.is(done.code, 0, said(done));
    const live = join(dir, 'config/live/www.example.net/cert.pem');
    t.deepEqual(await installed(live), everywhere, said(done));
  },
);

tried('dehydrated')('dehydrated with its hook: issued and served by both hosts', async (t) => {
  const dir = folder('dehydrated');
  mkdirSync(join(dir, 'wellknown'));
  writeFileSync(
    join(dir, 'config'),
    `CA="${ca().directory}"
BASEDIR="${dir}"
WELLKNOWN="${dir}/wellknown"
CHALLENGETYPE="http-01"
HOOK="${hook('dehydrated')}"
CURL_OPTS="--cacert ${ca().ca}"
`,
  );
  const config = ['--config', join(dir, 'config')];
  const account = await onHost(['dehydrated', ...config, '--register', '--accept-terms']);
  t.is(account.code, 0, said(account));
  const done = await onHost(['dehydrated', ...config, '--cron', '--domain', SITE_NAMES.join(' ')]);
  t.is(done.code, 0, said(done));
  const cert = join(dir, 'certs/www.example.net/cert.pem');
  t.deepEqual(await installed(cert), everywhere, said(done));
});

tried('lego')(
  'lego with a webroot and its run hook: issued and served by both hosts',
  async (t) => {
    const dir = folder('lego');
    const account = ['--accept-tos', '--email', 'root@example.net', '--path', dir];
    const http = ['--http', '--http.webroot', webroot()];
    const names = SITE_NAMES.flatMap((name) => ['--domains', name]);
    const argv = ['lego', '--server', ca().directory, ...account, ...http, ...names, 'run'];
    const env = { LEGO_CA_CERTIFICATES: ca().ca };
    const done = await onHost([...argv, '--run-hook', hook('lego')], env);
    t.is(done.code, 0, said(done));
    const cert = join(dir, 'certificates/www.example.net.crt');
    t.deepEqual(await installed(cert), everywhere, said(done));
  },
);

const acmeSh = process.env['ACME_SH'] ?? '';
(acmeSh === '' ? anyTest.serial.skip : tried('openssl'))(
  'acme.sh (ACME_SH names it) with a webroot and the deploy hook: issued and served by both hosts',
  async (t) => {
    const home = folder('acme.sh');
    mkdirSync(join(home, 'deploy'));
    copyFileSync(hook('acme.sh'), join(home, 'deploy/proxyctl.sh'));
    copyFileSync(acmeSh, join(home, 'acme.sh'));
    const trust = ['--home', home, '--server', ca().directory, '--ca-bundle', ca().ca];
    const script = ['sh', join(home, 'acme.sh')];
    const issued = await onHost([...script, ...trust, '--issue', '-w', webroot(), ...domains]);
    t.is(issued.code, 0, said(issued));
    const deploy = ['--deploy', '-d', 'www.example.net', '--ecc', '--deploy-hook', 'proxyctl'];
    const done = await onHost([...script, ...trust, ...deploy]);
    t.is(done.code, 0, said(done));
    const cert = join(home, 'www.example.net_ecc/www.example.net.cer');
    t.deepEqual(await installed(cert), everywhere, said(done));
  },
);
