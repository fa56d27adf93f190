import { readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { SERVERS } from './haproxy-config.ts';

// The small HTTP servers behind HAProxy, each on its port: node backends.js CERT KEY
// /slow/MS answers after that many milliseconds, so that a session can be seen to end.
const [certPath = '', keyPath = ''] = process.argv.slice(2);
const tls = { cert: readFileSync(certPath), key: readFileSync(keyPath) };

for (const { backend, name, port, tls: secure } of SERVERS) {
  const answer: RequestListener = (request, response) => {
    const [, waitMs = '0'] = /^\/(?:plain\/)?slow\/(\d+)$/.exec(request.url ?? '') ?? [];
    const send = (): void => {
      response.setHeader('X-Server', `${backend}/${name}`);
      response.end(`${backend}/${name}\n`);
    };
    if (waitMs === '0') send();
    else setTimeout(send, Number(waitMs));
  };
  const server = secure ? createTlsServer(tls, answer) : createServer(answer);
  server.listen(port, '::');
}
