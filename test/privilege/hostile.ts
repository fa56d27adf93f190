import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { serialise, type SwapEntry } from '../../agent/certs/entry.ts';
import { accountOf } from '../../agent/privilege/account.ts';
import { execWithin } from '../../agent/sys/exec.ts';

const MAIN = fileURLToPath(new URL('../../agent/main.js', import.meta.url));

export const pemOf = (text: string): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(text).toString('base64')}\n-----END CERTIFICATE-----\n`;

/** A host whose agent's user, `nobody`, has been taken over: it may write what that user may. */
export async function takenOver(t: ExecutionContext, user = 'nobody') {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'proxyctl-hostile-')));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const account = await accountOf(execWithin(10_000), 'nobody');
  if (account === null) throw new Error('nobody is root here');
  const own = (name: string): string => {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true, mode: 0o700 });
    chownSync(path, account.uid, account.gid);
    return path;
  };
  const state = own('state');
  const certs = join(folder, 'certs');
  mkdirSync(certs);
  writeFileSync(join(folder, 'haproxy.conf'), '');
  const config = join(folder, 'agent.toml');
  writeFileSync(
    config,
    `node = "haproxy01"
listen = []
user = "${user}"
state = "${state}"
socket = { path = "${folder}/run/agent.sock", group = "root" }
log = { file = "" }
tls = { ca = "${folder}/ca.pem", cert = "${folder}/node.pem", key = "${folder}/node.key" }
carp = { devd = "", tools = { ifconfig = "/bin/false", sysctl = "/bin/false", kldstat = "/bin/false" } }
haproxy = { config = "${folder}/haproxy.conf", socket = "${folder}/haproxy.sock" }
certificates = { directories = ["${certs}"] }
[[peer]]
node = "haproxy02"
address = ["127.0.0.1:9"]
`,
  );
  return {
    folder,
    account,
    own,
    state,
    certs,
    config,
    /** The state of an agent that stays root. */
    toRoot: () => chownSync(state, 0, 0),
    /** The agent as root starts it; resolves to its exit code and what it said. */
    async agent(...args: readonly string[]) {
      const child = spawn(process.execPath, [MAIN, '--config', config, ...args]);
      const said: string[] = [];
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (chunk: Buffer) => said.push(String(chunk)));
      await once(child, 'close');
      return { code: child.exitCode, said: said.join('') };
    },
  };
}

/** A journal that says: this file holds `newPem` because of us, put `oldPem` back. */
export function journalOf(path: string, newPem: string, oldPem: string): string {
  const entry: SwapEntry = {
    swapId: 'planted',
    phase: 'committing',
    coordinator: 'haproxy02',
    members: ['haproxy01', 'haproxy02'],
    stamp: { wallMs: 1, count: 0, node: 'haproxy02' },
    actor: 'mallory',
    reason: '',
    items: [
      {
        name: path,
        path,
        already: false,
        reload: false,
        oldPem,
        newPem,
        fingerprintBefore: 'a',
        fingerprintOld: 'a',
        fingerprint: 'b',
        sha256: createHash('sha256').update(newPem).digest('hex'),
        notAfter: '2030-01-01T00:00:00Z',
        names: [],
        warnings: [],
        files: [],
        into: null,
      },
    ],
  };
  return serialise(entry);
}
