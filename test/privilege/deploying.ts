import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { Deployment } from '../../agent/core/deploy/deployment.ts';
import { helperDeployments } from '../../agent/privilege/deployments.ts';
import type { DeployOptions, HelperOptions } from '../../agent/privilege/helper.ts';
import { signDeployment } from '../../ctl/deploy/sign.ts';
import { createAuthority, issueCertificate, type Issued } from '../../ctl/pki/authority.ts';
import { createCrl } from '../../ctl/pki/crl.ts';
import { serialIn } from './serials.ts';
import { scriptedHelper } from './tools.ts';

export const OLD = 'global\n\tmaxconn 100\n';
export const NEW = 'global\n\tmaxconn 200\n';

/** A CA of a pair as `proxyctl pki` makes it. */
export async function pkiOf(pair = 'web') {
  const ca = await createAuthority(pair, 100, Date.now());
  const issue = (uri: string, kind: 'node' | 'operator', nowMs = Date.now()): Promise<Issued> =>
    issueCertificate(
      ca,
      { commonName: 'x', uri: `proxyctl://${pair}/${uri}`, kind },
      { days: 10, nowMs, key: null },
    );
  return {
    ca,
    issue,
    operator: (name: string, role: string) => issue(`operator/${name}/${role}`, 'operator'),
    crl: (revoked: readonly Issued[], number: number, nowMs = Date.now()): Promise<string> =>
      createCrl(ca, revoked.map(serialIn), { number, nowMs }),
  };
}

export type Pki = Awaited<ReturnType<typeof pkiOf>>;

/** The number of this test's deployments; each is greater than the last. */
let number = Date.now();

/** A deployment of one file for haproxy01, in force now. */
export function deployment(change: Partial<Deployment> = {}, text = NEW): Deployment {
  const madeS = Math.floor(Date.now() / 1000);
  return {
    purpose: 'push',
    pair: 'web',
    nodes: ['haproxy02', 'haproxy01'],
    madeS,
    untilS: madeS + 600,
    number: ++number,
    form: 'file',
    reason: 'more room',
    files: [{ path: 'haproxy.conf', content: Buffer.from(text) }],
    ...change,
  };
}

/** Fails for what has BAD in it, and notes what it was called with. */
const CHECK = `#!/bin/sh
echo "$* CERTS=\${SSL_CERT_DIR-}" >>"$0.log"
echo "[NOTICE] $2:1 read"
! grep -qr BAD "$2" || { echo "[ALERT] $2:2 BAD" >&2; exit 1; }
`;

/** A helper of a host where root allows configurations, with haproxy.conf in etc/. */
export async function deployingHost(
  t: ExecutionContext,
  pki: Pki,
  {
    edited,
    options = {},
    deploy = {},
    directory = false,
    prepare = () => undefined,
    slow,
  }: {
    readonly edited?: (text: string) => string;
    readonly options?: Partial<HelperOptions>;
    readonly deploy?: Partial<DeployOptions>;
    /** The configuration is etc/conf.d, with two files, a map, and what an editor left. */
    readonly directory?: boolean;
    /** Before anything is written to its folder. */
    readonly prepare?: (folder: string) => unknown;
    /** Its check, before the configuration's name. */
    readonly slow?: (folder: string) => string[];
  } = {},
) {
  // The directory of the host is made by scriptedHelper; the helper looks at it when it is asked.
  const started = await scriptedHelper(t, options, edited, (folder) => {
    const etc = join(folder, 'etc');
    prepare(folder);
    mkdirSync(etc, { recursive: true });
    writeFileSync(join(etc, 'haproxy.conf'), OLD, { mode: 0o644 });
    const config = join(etc, directory ? 'conf.d' : 'haproxy.conf');
    if (directory) writeDirectory(config);
    writeFileSync(join(folder, 'ca.pem'), pki.ca.certificate);
    writeFileSync(join(folder, 'check'), CHECK, { mode: 0o755 });
    return {
      check: [...(slow?.(folder) ?? [join(folder, 'check'), '-f']), config],
      deploy: {
        config,
        node: 'haproxy01',
        pair: 'web',
        ca: join(folder, 'ca.pem'),
        store: join(folder, 'deployed'),
        ...deploy,
      },
      ...options,
    };
  });
  const { folder, helper } = started;
  const config = join(folder, 'etc/haproxy.conf');
  return {
    ...started,
    config,
    names: readdirSync(join(folder, 'etc')).sort(),
    store: join(folder, 'deployed'),
    deployments: helperDeployments(helper),
    text: (): string => readFileSync(config, 'utf8'),
    checked: (): string[] =>
      existsSync(join(folder, 'check.log'))
        ? readFileSync(join(folder, 'check.log'), 'utf8').trim().split('\n')
        : [],
    /** All of etc/conf.d. */
    tree: () => treeOf(join(folder, 'etc/conf.d')),
    /** What lies beside haproxy.conf, and what is in the store. */
    left: () => ({
      etc: readdirSync(join(folder, 'etc')).sort(),
      store: readdirSync(join(folder, 'deployed')).sort(),
    }),
  };
}

function writeDirectory(folder: string): void {
  mkdirSync(join(folder, 'maps'), { recursive: true, mode: 0o755 });
  for (const [name, mode, group] of [
    ['10-global.cfg', 0o640, 12],
    ['20-old.cfg', 0o644, 0],
    ['.10-global.cfg.swp', 0o600, 0],
    ['maps/a.map', 0o600, 0],
  ] as const) {
    writeFileSync(join(folder, name), `${name}\n`, { mode });
    chownSync(join(folder, name), 0, group);
    chmodSync(join(folder, name), mode);
  }
  chmodSync(join(folder, 'maps'), 0o750);
}

/** A line for each: its path, owner, group, mode and text. */
const treeOf = (folder: string): string[] =>
  ['.', ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()].map((name) => {
    const { uid, gid, mode } = statSync(join(folder, name));
    const is = `${name} ${uid} ${gid} ${(mode & 0o777).toString(8)}`;
    return statSync(join(folder, name)).isDirectory()
      ? is
      : `${is} ${readFileSync(join(folder, name), 'utf8')}`;
  });

export const sign = (one: Deployment, issued: Issued): Buffer => signDeployment(one, issued);

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Owner, group, mode and content. */
export const facts = (path: string) => {
  const { uid, gid, mode } = statSync(path);
  return { uid, gid, mode: (mode & 0o7777).toString(8), text: readFileSync(path, 'utf8') };
};
