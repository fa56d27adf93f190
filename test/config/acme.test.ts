import test from 'ava';
import type { ExecutionContext } from 'ava';
import { ConfigError, parseConfig, type Config } from '../../agent/config/config.ts';

const PEER = '[[peer]]\nnode = "haproxy02"\naddress = ["10.1.60.202:7660"]\n';
const source = { file: 'agent.toml', hostname: 'haproxy01' };
const read = (text: string): Promise<Config> => parseConfig(`${text}${PEER}`, source);

async function wrong(t: ExecutionContext, text: string): Promise<string[]> {
  const error = await t.throwsAsync(read(text), { instanceOf: ConfigError });
  return error.message.split('\n');
}

const DIRECTORY = 'directory = "https://ca.example.net/dir"';
const CERTIFICATE = '[[acme.certificate]]\nnames = ["www.example.net"]\npath = "/c/site.pem"\n';

test('certificates to order: every key, and where the account key lies without being named', async (t) => {
  const text = `state = "/s"\n[acme]\n${DIRECTORY}\ncontact = "root@example.net"\n`;
  const { acme } = await read(`${text}ca = "/c/ca.pem"\n${CERTIFICATE}`);
  t.deepEqual(acme, {
    responder: ['127.0.0.1:7661', '[::1]:7661'],
    webroot: '',
    tokenTtlMs: 3_600_000,
    directory: 'https://ca.example.net/dir',
    accountKey: '/s/acme-account.key',
    contact: 'root@example.net',
    ca: '/c/ca.pem',
    certificates: [{ names: ['www.example.net'], path: '/c/site.pem' }],
  });
  const named = await read(`[acme]\n${DIRECTORY}\naccount_key = "/k"\n${CERTIFICATE}`);
  t.is(named.acme.accountKey, '/k');
});

test('what cannot be ordered is refused with its place and what would be right', async (t) => {
  const values = `[acme]
directory = "http://ca.example.net/dir"
contact = "mailto:root@example.net"
account_key = "account.key"
[[acme.certificate]]
names = ["*.example.net", "WWW.example.net", "10.1.60.200"]
path = "site.pem"
[[acme.certificate]]
names = []
path = "/c/b.pem"
`;
  const name = 'must be a DNS name in small letters, without wildcard (http-01 proves none), not';
  const absolute = 'an absolute path';
  t.deepEqual(await wrong(t, values), [
    'agent.toml:2:1: acme.directory: must be empty or an https:// URL, not "http://ca.example.net/dir"',
    'agent.toml:3:1: acme.contact: must be empty or one mail address, not "mailto:root@example.net"',
    `agent.toml:4:1: acme.account_key: must be empty or ${absolute}, not "account.key"`,
    `agent.toml:6:10: acme.certificate.0.names.0: ${name} "*.example.net"`,
    `agent.toml:6:27: acme.certificate.0.names.1: ${name} "WWW.example.net"`,
    `agent.toml:6:46: acme.certificate.0.names.2: ${name} "10.1.60.200"`,
    `agent.toml:7:1: acme.certificate.0.path: must be ${absolute}, or "@store/name" of a crt-store, not "site.pem"`,
    'agent.toml:9:1: acme.certificate.1.names: needs at least one name, not []',
  ]);
});

test('what contradicts itself is refused', async (t) => {
  t.deepEqual(await wrong(t, `[acme]\n${CERTIFICATE}`), [
    "agent.toml:2:3: acme.certificate: needs acme.directory, the URL of the CA's ACME directory",
  ]);
  t.deepEqual(await wrong(t, `[acme]\n${DIRECTORY}\nresponder = []\n`), [
    'agent.toml:2:1: acme.directory: orders nothing: name certificates with [[acme.certificate]], names and path',
    'agent.toml:3:1: acme.responder: must not be empty with acme.directory: it answers the CA',
  ]);
  const twice = CERTIFICATE.replace('"]', '", "www.example.net"]');
  t.deepEqual(await wrong(t, `[acme]\n${DIRECTORY}\n${CERTIFICATE}${twice}`), [
    'agent.toml:7:1: acme.certificate.1.names: www.example.net is named twice',
    'agent.toml:8:1: acme.certificate.1.path: /c/site.pem is named twice',
  ]);
});
