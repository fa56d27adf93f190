import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { usage } from '../failure.ts';

/** Where a client knocks, and what it takes for an answer. */
export interface Target {
  /** As it was given. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  /** Null: that the connection is accepted is enough. */
  readonly request: { readonly path: string; readonly secure: boolean } | null;
}

/** HOST:PORT, or an http or https URL. Throws ActFailure 'usage' for anything else. */
export function targetOf(text: string): Target {
  const wrong = usage(
    `--probe ${JSON.stringify(text)} is not understood`,
    'give 10.1.60.200:443, [2001:db8::1]:443, or https://www.example.net/health',
  );
  if (/^https?:/.test(text)) {
    if (!URL.canParse(text)) throw wrong;
    const url = new URL(text);
    const secure = url.protocol === 'https:';
    const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
    const host = url.hostname.replace(/^\[|\]$/g, '');
    return { name: text, host, port, request: { path: url.pathname + url.search, secure } };
  }
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:\s]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535) throw wrong;
  return { name: text, host, port, request: null };
}

/**
 * One new connection: true where it was accepted, of a URL where HTTP of below 500 came back; false
 * for anything else within `timeoutMs`. Who shows which certificate does not matter. Never rejects.
 */
export function knock({ host, port, request }: Target, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let text = '';
    const secure = request?.secure === true;
    const socket = secure
      ? connectTls({ host, port, rejectUnauthorized: false, ...nameOf(host) })
      : connect({ host, port });
    const end = (ok: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(ok);
    };
    const timer = setTimeout(() => end(false), timeoutMs);
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.on(secure ? 'secureConnect' : 'connect', () => {
      if (request === null) return end(true);
      const name = isIP(host) === 6 ? `[${host}]` : host;
      socket.write(
        `GET ${request.path} HTTP/1.1\r\nHost: ${name}\r\nUser-Agent: proxyctl\r\nConnection: close\r\n\r\n`,
      );
    });
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(text) ?? [];
      if (status !== undefined) end(Number(status) < 500);
      else if (text.length > LONGEST_STATUS) end(false);
    });
  });
}

/** A status line stands at the beginning. */
const LONGEST_STATUS = 64;

const nameOf = (host: string): { servername?: string } =>
  isIP(host) === 0 ? { servername: host } : {};
