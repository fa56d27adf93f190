import { join } from 'node:path';
import { startServer } from '../../agent/rpc/server.ts';
import { createTls } from '../../agent/rpc/tls.ts';
import type { TlsPaths } from '../../agent/rpc/tls-files.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { memberOf, NO_AUDIT, verbsOf } from '../scripted.ts';
import { helloOf } from './world.ts';

// A server of haproxy01 in a process of its own, to be stopped and killed.
const [paths = '', folder = ''] = process.argv.slice(2);
const server = await startServer({
  listen: ['127.0.0.1:0'],
  socket: { path: join(folder, 'child.sock'), group: 'nogroup', role: 'operator' },
  tls: createTls(JSON.parse(paths) as TlsPaths, 'web', 'haproxy01', systemClock),
  pair: 'web',
  node: 'haproxy01',
  peers: ['haproxy02'],
  clock: systemClock,
  notices: { refused: () => undefined, failed: () => undefined },
  audit: NO_AUDIT,
  control: verbsOf(),
  member: memberOf('haproxy01'),
  fromPeers: {
    hello: () => helloOf('haproxy01'),
    receive: () => undefined,
    opened: () => undefined,
    closed: () => undefined,
    storeIntents: () => Promise.resolve([]),
  },
});
process.stdout.write(`${server.addresses[0] ?? ''}\n`);
