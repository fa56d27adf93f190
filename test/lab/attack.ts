import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { credentials, makeGenericClientConstructor } from '@grpc/grpc-js';
import { ControlService } from '../../proto/gen/services.ts';
import { GREETING, TOO_LONG } from '../rpc/attacker.ts';

// attack.js FOLDER FROM HOST...: two strangers (of the address FROM) and a viewer who mean harm, at the agents of these hosts,
// until it is killed. FOLDER has ca.pem, viewer.pem and viewer.key. Says `attacking` once all have begun.

const [folder = '', localAddress = '', ...hosts] = process.argv.slice(2);
const [ca, cert, key] = ['ca.pem', 'viewer.pem', 'viewer.key'].map((name) =>
  readFileSync(`${folder}/${name}`),
);
const PORT = 7660;
/** More than a listener once took in all. */
const SILENT = 600;
const AGAIN_MS = 20;
/** Who is cut off comes back after a second: two cores carry the attack as well as the attacked. */
const BACK_MS = 1000;

/** Holds connections that say `first` and no more, and opens another for each that is closed. */
function silent(host: string, first: Buffer): void {
  const socket = connect({ host, port: PORT, localAddress }, () => socket.write(first));
  socket.on('error', () => undefined);
  socket.on('close', () => setTimeout(silent, BACK_MS, host, first));
}

/** With the viewer's certificate, and then no HTTP/2. */
function malformed(host: string): void {
  const socket = connectTls({
    host,
    port: PORT,
    rejectUnauthorized: false,
    cert,
    key,
    ...ALPN,
    ...from,
  });
  socket.on('secureConnect', () => socket.write(Buffer.concat([GREETING, TOO_LONG])));
  socket.on('data', () => socket.destroy());
  socket.on('error', () => undefined);
  socket.on('close', () => setTimeout(malformed, 100, host));
}
const ALPN = { ALPNProtocols: ['h2'] };
const from = { localAddress };

/** Asks for what is dear, as much as is let through, and reads none of it. */
function dear(host: string): void {
  const Control = makeGenericClientConstructor(ControlService, 'Control');
  const client = new Control(
    `${host}:${PORT}`,
    credentials.createSsl(ca, key, cert, { checkServerIdentity: () => undefined }),
  );
  const addresses = Array.from({ length: 1024 }, (_, n) => `${n}@vtnet${n}`);
  const ask = (method: string, request: object): void => {
    const again = (): void => void setTimeout(ask, AGAIN_MS, method, request);
    const { path, requestSerialize, responseDeserialize } = (
      ControlService as unknown as Record<string, (typeof ControlService)['explain']>
    )[method] as (typeof ControlService)['explain'];
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, again);
  };
  for (let n = 0; n < 40; n++) ask('explain', { addresses });
  for (let n = 0; n < 4; n++) ask('doctor', { addresses: [], nodes: [] });
  for (let n = 0; n < 4; n++) ask('certificates', { served: true });
}

for (const host of hosts) {
  for (let n = 0; n < SILENT; n++) silent(host, Buffer.alloc(0));
  // The beginning of a ClientHello.
  for (let n = 0; n < 50; n++) silent(host, Buffer.from([22, 3, 1, 2, 0, 1, 0, 1]));
  for (let n = 0; n < 10; n++) malformed(host);
  dear(host);
}
setTimeout(() => console.log('attacking'), 1000);
