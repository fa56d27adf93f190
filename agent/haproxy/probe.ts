import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP } from 'node:net';
import { isHere, ofError, untilNoReset, type Knock } from './knock.ts';

/** Where the port of a probe's URL is not written. */
export const portOf = ({ port, protocol }: URL): number =>
  port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);

/**
 * GET of `url` at `host` of this host instead of where its name leads. Any answer counts, an
 * error status and a refused handshake too: the question is whether anybody is there. No
 * certificate is verified.
 */
export function probe(url: URL, host: string, deadlineMs: number): Promise<Knock> {
  return untilNoReset(() => once(url, host, deadlineMs));
}

function once(url: URL, host: string, deadlineMs: number): Promise<Knock | 'reset'> {
  const name = url.hostname.replace(/^\[|\]$/g, '');
  const options = {
    host,
    port: portOf(url),
    path: `${url.pathname}${url.search}`,
    headers: { host: url.host, 'user-agent': 'proxyagent', connection: 'close' },
    agent: false,
    rejectUnauthorized: false,
    ...(isIP(name) === 0 ? { servername: name } : {}),
  };
  return new Promise((resolve) => {
    const asked = url.protocol === 'https:' ? requestTls(options) : request(options);
    const done = (said: Knock | 'reset'): void => {
      clearTimeout(late);
      asked.destroy();
      resolve(said);
    };
    const late = setTimeout(() => done('silent'), deadlineMs);
    asked.on('socket', (socket) =>
      socket.on('connect', () => {
        if (!isHere(socket)) done('none');
      }),
    );
    asked.on('response', () => done('answers'));
    // Also after `destroy`, when nobody listens to it any more.
    asked.on('error', (error) => done(ofError(error)));
    asked.end();
  });
}
