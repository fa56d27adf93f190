import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { status as Code } from '@grpc/grpc-js';
import type { ExecutionContext } from 'ava';
import { readCrls } from '../../agent/rpc/crl.ts';
import { createTls } from '../../agent/rpc/tls.ts';
import { askStatus, clientOf, createWorld, serveWorld, testClock } from './world.ts';

const CONFIG = `
[ca]
default_ca = pair
[pair]
dir = .
database = index.txt
serial = serial
crlnumber = crlnumber
new_certs_dir = .
certificate = issuing.pem
private_key = issuing.key
default_md = sha256
default_crl_days = 1
policy = any
copy_extensions = copy
[any]
commonName = supplied
[root_ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
`;

/** openssl(1) in a folder of its own, with a root, an issuing CA below it, and its own index. */
function openssl(t: ExecutionContext) {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-openssl-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const run = (line: string): void => {
    const { status, stderr } = spawnSync('openssl', line.split(' '), { cwd: folder });
    if (status !== 0) throw new Error(`openssl ${line}: ${stderr.toString()}`);
  };
  writeFileSync(join(folder, 'ca.cnf'), CONFIG);
  writeFileSync(join(folder, 'index.txt'), '');
  writeFileSync(join(folder, 'serial'), '01\n');
  writeFileSync(join(folder, 'crlnumber'), '01\n');
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const key = '-newkey rsa:2048 -nodes';
  run(
    `req -x509 ${key} -keyout root.key -out root.pem -days 30 -subj /CN=root -config ca.cnf -extensions root_ca`,
  );
  run(`req ${key} -keyout issuing.key -out issuing.csr -subj /CN=issuing -config ca.cnf`);
  run(
    'x509 -req -in issuing.csr -CA root.pem -CAkey root.key -CAcreateserial -days 30 -out issuing.pem -extfile ca.cnf -extensions root_ca',
  );
  const issue = (name: string, uri: string) => {
    run(
      `req ${key} -keyout ${name}.key -out ${name}.csr -subj /CN=${name} -addext subjectAltName=URI:${uri}`,
    );
    run(`ca -batch -config ca.cnf -in ${name}.csr -out ${name}.pem -days 20 -notext`);
    return { certPem: `${read(`${name}.pem`)}${read('issuing.pem')}`, keyPem: read(`${name}.key`) };
  };
  const revoke = (name: string): string => {
    run(`ca -config ca.cnf -revoke ${name}.pem`);
    run('ca -config ca.cnf -gencrl -out crl.pem');
    return read('crl.pem');
  };
  return { read, issue, revoke };
}

test("certificates and lists of one's own CA, made by openssl with an issuing CA below the root", async (t) => {
  const world = await createWorld(t);
  const own = openssl(t);
  const node = own.issue('node', 'proxyctl://web/node/haproxy01');
  const root = own.read('root.pem');
  const paths = world.write('haproxy01', node, { ...world.ca, certPem: root });
  const tls = createTls(paths, 'web', 'haproxy01', testClock);
  const server = await serveWorld(t, world, { tls });
  const anna = own.issue('anna', 'proxyctl://web/operator/anna/viewer');
  const ben = own.issue('ben', 'proxyctl://web/operator/ben/viewer');
  const ask = async (by: typeof anna): Promise<string> => {
    const answer = await askStatus(clientOf(t, server.address, root, by));
    return typeof answer === 'string' ? answer : (Code[answer.code] ?? '');
  };
  t.deepEqual([await ask(anna), await ask(ben)], ['haproxy01', 'haproxy01']);
  const lists = readCrls(own.revoke('anna'), tls.issuers());
  t.deepEqual(
    lists.map(({ number, serials }) => [number, serials.size]),
    [[1n, 1]],
  );
  tls.revoke(lists);
  t.deepEqual([await ask(anna), await ask(ben)], ['UNAVAILABLE', 'haproxy01']);
});
