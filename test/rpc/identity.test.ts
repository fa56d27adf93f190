import test from 'ava';
import { status as Code } from '@grpc/grpc-js';
import { objection } from '../../agent/rpc/hello.ts';
import { parseIdentity } from '../../agent/wire/identity.ts';
import { newTrace, reasonOf } from '../../agent/rpc/link-end.ts';

test('one proxyctl URI, of this pair, in full, is an identity; anything else is refused', (t) => {
  const node = { kind: 'node', node: 'haproxy01' } as const;
  t.deepEqual(parseIdentity('URI:proxyctl://web/node/haproxy01', 'web'), node);
  t.deepEqual(
    parseIdentity(
      'DNS:x, URI:https://a/b, URI:proxyctl://web/node/haproxy01, IP Address:::1',
      'web',
    ),
    node,
  );
  t.deepEqual(parseIdentity('URI:proxyctl://web/operator/anna/admin', 'web'), {
    kind: 'operator',
    name: 'anna',
    role: 'admin',
  });
  const refused = (names: string | undefined) => {
    const error = t.throws(() => parseIdentity(names, 'web'));
    return error.message;
  };
  t.deepEqual(
    [
      refused(undefined),
      refused('DNS:haproxy01'),
      refused('URI:proxyctl://web/node/a, URI:proxyctl://web/operator/b/admin'),
      refused('URI:proxyctl://other/node/haproxy01'),
      refused('URI:proxyctl://web/node/haproxy01/x'),
      refused('URI:proxyctl://web/node/'),
      refused('URI:proxyctl://web/operator/anna'),
      refused('URI:proxyctl://web/operator/anna/root'),
      refused('URI:proxyctl:/web/node/haproxy01'),
      refused('URI:PROXYCTL://web/node/haproxy01'),
      // What Node prints for one URI that contains ", URI:": quoted, so that it is not two.
      refused('URI:"proxyctl://web/node/a, URI:proxyctl://web/node/b"'),
      refused('DNS:"x, URI:proxyctl://web/node/a"'),
      refused('URI:"unfinished'),
    ],
    [
      'the certificate carries no proxyctl:// name',
      'the certificate carries no proxyctl:// name',
      'the certificate carries 2 proxyctl:// names, one is allowed',
      '"proxyctl://other/node/haproxy01" belongs to another pair than web',
      '"proxyctl://web/node/haproxy01/x" is no proxyctl name',
      '"proxyctl://web/node/" is no proxyctl name',
      '"proxyctl://web/operator/anna" is no proxyctl name',
      '"proxyctl://web/operator/anna/root" is no proxyctl name',
      '"proxyctl:/web/node/haproxy01" is no proxyctl name',
      '"PROXYCTL://web/node/haproxy01" is no proxyctl name',
      '"\\"proxyctl://web/node/a, URI:proxyctl://web/node/b\\"" is no proxyctl name',
      'the certificate carries no proxyctl:// name',
      'the names in the certificate cannot be read',
    ],
  );
});

test('protocols one apart talk, two apart are refused with the side to upgrade', (t) => {
  const hello = (node: string, protocol: number, pair = 'web') =>
    ({ kind: 'hello', node, pair, protocol, agentVersion: '1', epoch: 1, startId: 0 }) as const;
  const ours = hello('haproxy01', 3);
  t.deepEqual(
    [
      objection(ours, hello('haproxy02', 2), 'haproxy02'),
      objection(ours, hello('haproxy02', 4), 'haproxy02'),
      objection(ours, hello('haproxy02', 1), 'haproxy02'),
      objection(ours, hello('haproxy02', 5), 'haproxy02'),
      objection(ours, hello('haproxy02', 3, 'mail'), 'haproxy02'),
      objection(ours, hello('haproxy01', 3), 'haproxy02'),
    ],
    [
      null,
      null,
      'haproxy02 speaks version 1 of the protocol and haproxy01 version 3; they must be at most one apart: upgrade haproxy02 first',
      'haproxy02 speaks version 5 of the protocol and haproxy01 version 3; they must be at most one apart: upgrade haproxy01 first',
      'haproxy02 belongs to the pair mail, not to web',
      'the agent says it is haproxy01, its certificate says haproxy02',
    ],
  );
});

test('the end of a dial names what the kernel said', (t) => {
  const how = (details: string) =>
    reasonOf('a', { code: Code.UNAVAILABLE, details }, newTrace()).how;
  t.deepEqual(
    ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ECONNRESET'].map((errno) =>
      how(`No connection established. Last error: connect ${errno} 10.1.60.202:7660`),
    ),
    ['refused', 'unreachable', 'unreachable', 'timeout', 'reset'],
  );
});
