import type { IncomingMessage, ServerResponse } from 'node:http';
import { ActFailure } from '../core/results.ts';
import { isToken } from '../core/certs/challenge.ts';
import type { Problems } from '../problems.ts';
import type { Clock } from '../sys/clock.ts';
import { hostPort } from '../sys/host-port.ts';
import { httpListeners, listenProblem, listenRemedy, sendWhole } from '../sys/http-listeners.ts';
import { ask, PATH } from './ask.ts';

export interface ResponderOptions {
  readonly node: string;
  /** `[acme] responder`; none: it does not run. */
  readonly addresses: readonly string[];
  /** The key authorization of a token; null: 404. */
  readonly answer: Answer;
  readonly clock: Clock;
  readonly problems: Problems;
}

type Answer = (token: string) => Promise<string | null>;

export interface Responder {
  /**
   * Asks every address for the token, or with '' whether it answers at all; the
   * addresses. Throws ActFailure 'failed' with the first that is wrong.
   */
  check(token: string): Promise<readonly string[]>;
  close(): void;
}

const SUBJECT = 'acme';
/** Far above what HAProxy's checks and a CA's few questions need. */
const MAX_CONNECTIONS = 256;

/**
 * Answers ACME http-01 (RFC 8555, 8.3) on all of its addresses or on none: with
 * HAProxy in front, one that is missing would fail every other question of a
 * CA. What cannot be listened at is a problem of the agent and tried again.
 */
export function startResponder(options: ResponderOptions): Responder {
  const { node, addresses, clock, problems } = options;
  /** Null: it listens. */
  let why: string | null = 'it is starting';
  let at = addresses[0] ?? '';
  const told = listenProblem(problems, SUBJECT, 'the ACME responder does not run:');
  const listeners = httpListeners({
    addresses,
    clock,
    most: MAX_CONNECTIONS,
    handle: (request, response) => void reply(request, response, options.answer),
    opened() {
      why = null;
      told.opened();
    },
    refused(trouble) {
      at = trouble.address;
      why = `it cannot listen on ${at}: ${trouble.cause}`;
      told.refused(trouble);
    },
  });

  return {
    async check(token) {
      if (addresses.length === 0)
        throw failure(node, 'it is switched off', 'set [acme] responder in agent.toml');
      if (why !== null) throw failure(node, why, `on ${node}: ${listenRemedy(at)}`);
      const expected = token === '' ? null : await options.answer(token);
      if (token !== '' && expected === null)
        throw failure(node, 'it does not know the token', 'present it again');
      const asked = addresses.map(async (address) => {
        const place = hostPort(address) ?? { host: '', port: 0 };
        return { address, wrong: await ask(place, token, expected) };
      });
      for (const { address, wrong } of await Promise.all(asked))
        if (wrong !== null)
          throw failure(node, `${address}: ${wrong}`, `on ${node}: ${listenRemedy(address)}`);
      return addresses;
    },
    close: () => listeners.close(),
  };
}

const failure = (node: string, cause: string, remediation: string): ActFailure =>
  new ActFailure('failed', {
    code: 'responder_wrong',
    message: `the ACME responder on ${node} does not answer`,
    cause,
    remediation,
    retryable: true,
  });

async function reply(
  { method = '', url = '' }: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
): Promise<void> {
  const token = url.startsWith(PATH) ? url.slice(PATH.length) : '';
  const asks = (method === 'GET' || method === 'HEAD') && isToken(token);
  const known = asks ? await answer(token).catch(() => null) : null;
  const body = known ?? 'not found\n';
  const type = known === null ? 'text/plain' : 'application/octet-stream';
  const headers = { 'content-type': type, connection: 'close' };
  sendWhole(method, response, known === null ? 404 : 200, headers, body);
}
