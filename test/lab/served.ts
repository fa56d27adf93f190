import { connect } from 'node:tls';

// The certificate a TLS client gets, as SHA-1 in lower case hex: node served.js HOST SERVERNAME
const [host = '', servername = ''] = process.argv.slice(2);
const socket = connect({ host, port: 443, servername, rejectUnauthorized: false });
socket.setTimeout(2000, () => socket.destroy(new Error(`${host} does not answer`)));
socket.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
socket.on('secureConnect', () => {
  const { fingerprint } = socket.getPeerCertificate();
  process.stdout.write(`${fingerprint.replaceAll(':', '').toLowerCase()}\n`);
  socket.end();
});
