import { join } from 'node:path';
import test from 'ava';
import type { Client } from '@grpc/grpc-js';
import { failureFromStatus } from '../../agent/wire/failed-calls.ts';
import { askMove, askPush, clientOf, createWorld, serveWorld } from './world.ts';

const request = { header: { requestId: 'r1', actor: 'anna' }, to: 'haproxy02' };

/** What an operator reads of a refused move, and of a refused push; empty: it was done. */
async function refusals(client: Client): Promise<Record<string, readonly string[]>> {
  const found: Record<string, readonly string[]> = {};
  for (const [what, { error }] of [
    ['move', await askMove(client, request)],
    ['push', await askPush(client, 'some certificate')],
  ] as const) {
    const detail =
      error === null
        ? null
        : failureFromStatus(error, { peer: 'haproxy01', name: what, changes: true }).detail;
    found[what] =
      detail === null ? [] : [detail.code, detail.message, detail.cause, detail.remediation];
  }
  return found;
}

test('who may not is told what would let him: by certificate, by socket, and with a node’s key', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world);
  const over = async (name: string) =>
    refusals(clientOf(t, server.address, world.ca.certPem, await world.ca.issue([name])));
  const socket = (name: string) =>
    refusals(clientOf(t, `unix:${join(world.folder, name)}`, null, null));
  const tooLow = (what: string, role: string, who: string, has: string, remedy: string) => [
    'role_too_low',
    `${what} needs the role ${role}; ${who} has ${has}`,
    '',
    remedy,
  ];
  const issue = (role: string) =>
    `proxyctl pki issue operator NAME --role ${role}, by who keeps the CA`;
  const ask =
    'as root admin.sock beside it has every role; or role = "admin" in [socket] of agent.toml';
  t.deepEqual(await over('proxyctl://web/operator/anna/viewer'), {
    move: tooLow('move', 'operator', 'anna', 'viewer', issue('operator')),
    push: tooLow('certificates', 'admin', 'anna', 'viewer', issue('admin')),
  });
  t.deepEqual(await over('proxyctl://web/operator/anna/operator'), {
    move: [],
    push: tooLow('certificates', 'admin', 'anna', 'operator', issue('admin')),
  });
  t.deepEqual(await over('proxyctl://web/operator/anna/admin'), { move: [], push: [] });
  t.deepEqual(await socket('agent.sock'), {
    move: [],
    push: tooLow('certificates', 'admin', 'this socket', 'operator', ask),
  });
  t.deepEqual(await socket('admin.sock'), { move: [], push: [] });
  const nodes = [
    'permission_denied',
    'the certificate of node haproxy02 is for agents, not for operators',
    '',
    'without a certificate over the socket on that host, or with your own: ' +
      'proxyctl pki issue operator NAME --role ROLE',
  ];
  t.deepEqual(await over('proxyctl://web/node/haproxy02'), { move: nodes, push: nodes });
  const mail = [
    'unauthenticated',
    '"proxyctl://mail/operator/anna/admin" belongs to another pair than web',
    '',
    'use a certificate of pair web: proxyctl pki issue operator NAME --role ROLE',
  ];
  t.deepEqual(await over('proxyctl://mail/operator/anna/admin'), { move: mail, push: mail });
});

test('a socket that only looks says how it may do more', async (t) => {
  const world = await createWorld(t);
  const server = await serveWorld(t, world, { role: 'viewer' });
  const { move } = await refusals(clientOf(t, `unix:${server.socketPath}`, null, null));
  t.deepEqual(move, [
    'role_too_low',
    'move needs the role operator; this socket has viewer',
    '',
    'as root admin.sock beside it has every role; or role = "operator" in [socket] of agent.toml',
  ]);
});
