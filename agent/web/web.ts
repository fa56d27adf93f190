import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Status } from '../core/answers.ts';
import type { CertificatesSeen } from '../core/certs/certificates.ts';
import { sentence } from '../core/words.ts';
import type { Problems } from '../problems.ts';
import { httpListeners, listenProblem, sendWhole } from '../sys/http-listeners.ts';
import { SCRIPT, STYLE } from './files.ts';
import { isOwnHost } from './host-header.ts';
import { looking, type LookSource } from './look.ts';
import { pageOf, partsOf } from './page.ts';
import type { Picture } from './picture.ts';
import { MOST_WATCHERS, watching } from './stream.ts';

/** `[web]` of agent.toml. */
export interface WebPlace {
  readonly listen: readonly string[];
  /** Names by which browsers ask for the page, besides localhost and addresses. */
  readonly names: readonly string[];
}

export interface WebOptions extends LookSource {
  readonly place: WebPlace;
  readonly problems: Problems;
  /** From memory. */
  readonly status: () => Status;
  readonly certificates: () => CertificatesSeen;
}

const SUBJECT = 'web';
/** All who watch, and as many who load the page. */
const MOST_CONNECTIONS = 2 * MOST_WATCHERS;

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const;

/**
 * Answers one page of the pair on `addresses`, read only. Nodes are asked only while somebody looks,
 * once for all of them; what cannot be listened at is a problem of the agent and tried again.
 */
export function startWeb(options: WebOptions): {
  /** Listens there from now on; who watches where it still listens goes on. */
  become(place: WebPlace): void;
  close(): void;
} {
  const { clock, problems, status, certificates } = options;
  let { names } = options.place;
  const looked = looking(options);
  const picture = (): Picture => ({
    ...looked.latest(),
    status: status(),
    certificates: certificates(),
    nowMs: clock.nowMs(),
    wallMs: clock.wallMs(),
  });
  // Whoever watches sees at once what this agent knows by itself; what was asked comes with the next.
  const watchers = watching(clock, () => {
    void looked.look();
    return partsOf(picture());
  });

  async function reply(
    { method = '', url = '', headers }: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const send = (code: number, type: string, body: string, more = {}): void => {
      const headers = { ...HEADERS, 'content-type': `${type}; charset=utf-8`, ...more };
      sendWhole(method, response, code, headers, body);
    };
    if (method !== 'GET' && method !== 'HEAD')
      return send(405, 'text/plain', 'this page is only looked at\n', { allow: 'GET, HEAD' });
    const { host = '' } = headers;
    if (!isOwnHost(host, names)) return send(421, 'text/plain', wrongHost(host));
    const [path = ''] = url.split('?', 1);
    switch (path) {
      case '/':
        await looked.look();
        return send(200, 'text/html', pageOf(picture()));
      case '/page.css':
        return send(200, 'text/css', STYLE);
      case '/page.js':
        return send(200, 'text/javascript', SCRIPT);
      case '/events': {
        if (method === 'GET' && !watchers.add(response))
          return send(503, 'text/plain', `${MOST_WATCHERS} watch already\n`, { 'retry-after': 10 });
        response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' });
        if (method === 'HEAD') response.end();
        else response.flushHeaders();
        return;
      }
      default:
        return send(404, 'text/plain', 'see /\n');
    }
  }

  const listeners = httpListeners({
    addresses: options.place.listen,
    clock,
    most: MOST_CONNECTIONS,
    handle: (request, response) => {
      reply(request, response).catch((error: unknown) => {
        if (response.headersSent) return void response.destroy();
        response.writeHead(500, { ...HEADERS, 'content-type': 'text/plain; charset=utf-8' });
        response.end(`${sentence(error)}\n`);
      });
    },
    ...listenProblem(problems, SUBJECT, 'no page: it'),
  });
  return {
    become(place) {
      ({ names } = place);
      listeners.move(place.listen);
    },
    close() {
      watchers.close();
      listeners.close();
    },
  };
}

const wrongHost = (host: string): string =>
  `this page is not answered to ${JSON.stringify(host.slice(0, 253))}: ask for an address, ` +
  'for localhost, or for a name of [web] names in agent.toml\n';
