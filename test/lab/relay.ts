import { connect, createServer, type Socket } from 'node:net';

// Holds back what goes through it in either direction: node relay.js MS PORT=ADDRESS...
// Connects out from ports 20000-20099, which the redirection leaves alone.
const [waits = '0', ...routes] = process.argv.slice(2);
const waitMs = Number(waits);
let next = 0;

for (const route of routes) {
  const [port = '', address = ''] = route.split('=');
  createServer((client) => {
    const localPort = 20_000 + (next++ % 100);
    const peer = connect({ host: address, port: 7660, localPort });
    late(client, peer);
    late(peer, client);
  }).listen(Number(port), '::');
}

function late(from: Socket, to: Socket): void {
  from.on('data', (chunk) => setTimeout(() => to.writable && to.write(chunk), waitMs));
  from.on('end', () => setTimeout(() => to.end(), waitMs));
  from.on('error', () => to.destroy());
  from.on('close', () => setTimeout(() => to.destroy(), waitMs));
}
