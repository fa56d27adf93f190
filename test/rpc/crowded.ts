import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeLinks } from '../../agent/rpc/links.ts';
import { startServer } from '../../agent/rpc/server.ts';
import { createTls } from '../../agent/rpc/tls.ts';
import type { TlsPaths } from '../../agent/rpc/tls-files.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { memberOf, verbsOf, NO_AUDIT } from '../scripted.ts';
import { heartbeat } from './link-world.ts';
import { emptyStatus, helloOf } from './world.ts';

// Server and links of haproxy02 in a process of its own. `fill` on its standard input: it opens
// files until no descriptor is left; `free`: it closes them; `say N`: a heartbeat to haproxy01.
const [paths = '', folder = '', peer = ''] = process.argv.slice(2);
const say = (what: unknown): void => void process.stdout.write(`${JSON.stringify(what)}\n`);
const tls = createTls(JSON.parse(paths) as TlsPaths, 'web', 'haproxy02', systemClock);
const server = await startServer({
  listen: ['127.0.0.1:0'],
  socket: { path: join(folder, 'crowded.sock'), group: 'nogroup', role: 'operator' },
  tls,
  pair: 'web',
  node: 'haproxy02',
  peers: ['haproxy01'],
  clock: systemClock,
  audit: NO_AUDIT,
  notices: { refused: () => undefined, failed: () => undefined },
  control: verbsOf({ status: () => Promise.resolve(emptyStatus) }),
  member: memberOf('haproxy02'),
  fromPeers: {
    hello: () => helloOf('haproxy02'),
    receive: () => undefined,
    opened: () => undefined,
    closed: () => undefined,
    storeIntents: () => Promise.resolve([]),
  },
});
const links = makeLinks({
  peers: [{ node: 'haproxy01', address: [peer] }],
  tls,
  clock: systemClock,
  random: () => 0,
});
links.open({
  hello: () => helloOf('haproxy02'),
  onConnected: () => say('connected'),
  onClosed: (_node, how, cause) => say(`${how}: ${cause}`),
  onReply: () => undefined,
});
const held: number[] = [];
createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'fill') fill();
  else if (line === 'free') for (const one of held.splice(0)) closeSync(one);
  else links.send('haproxy01', heartbeat(Number(line.slice(4))));
  say(line);
});
process.stdin.on('end', () => process.exit());
say({ address: server.addresses[0] });

function fill(): void {
  try {
    for (;;) held.push(openSync('/dev/null', 'r'));
  } catch {
    // EMFILE: that is what was wanted.
  }
}
