import { sentence } from '../core/words.ts';
import type { AccountKey } from './account-key.ts';
import { OrderFailure } from './failure.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** One question to the CA takes so long at most, ms. */
const ASK_MS = 20_000;
/** A chain has a few kilobytes. */
const LONGEST = 1_048_576;
/** A CA may refuse a nonce at any time (RFC 8555, 6.5). */
const NONCES = 4;

export interface ExchangeOptions {
  /** PEM of the CAs that may have signed the server's certificate; null: the well-known ones. */
  readonly ca: string | null;
  readonly key: AccountKey;
  /** Called before each question; what it throws ends the order. */
  readonly goOn: () => void;
  readonly wallMs: () => number;
}

export type Exchange = ReturnType<typeof exchange>;

/** Questions to an ACME server: signed, with nonces. Each throws OrderFailure with the CA's words. */
export function exchange({ ca, key, goOn, wallMs }: ExchangeOptions) {
  let nonce = '';
  let kid = '';

  async function ask(method: string, url: string, body: string | null): Promise<Answer> {
    goOn();
    const answer = await question({ method, url, body, ca });
    const next = answer.headers['replay-nonce'];
    if (typeof next === 'string') nonce = next;
    return answer;
  }

  async function signed(newNonce: string, url: string, payload: unknown): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      if (nonce === '') refuse(await ask('HEAD', newNonce, null), newNonce);
      const who = kid === '' ? { jwk: key.jwk } : { kid };
      const head = base64({ alg: key.alg, nonce, url, ...who });
      const content = payload === null ? '' : base64(payload);
      nonce = '';
      const signature = key.sign(`${head}.${content}`);
      const body = JSON.stringify({ protected: head, payload: content, signature });
      const answer = await ask('POST', url, body);
      if (answer.status < 400) return answer;
      if (attempt >= NONCES || !problemOf(answer).type.endsWith(':badNonce')) refuse(answer, url);
    }
  }

  function refuse(answer: Answer, url: string): void {
    if (answer.status >= 400) throw refusal(answer, url, wallMs());
  }

  return {
    /** Unsigned. */
    async get(url: string): Promise<Answer> {
      const answer = await ask('GET', url, null);
      refuse(answer, url);
      return answer;
    },
    /** `payload` null: POST-as-GET (RFC 8555, 6.3). */
    signed,
    /** From now on questions name the account in the place of the key. */
    account(url: string): void {
      kid = url;
    },
  };
}

const base64 = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** An answer's JSON. Throws OrderFailure where it is none. */
export function jsonOf({ text }: Answer, url: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new OrderFailure(`${url} answers no JSON`, 'is [acme] directory that of an ACME server?');
}

/** RFC 7807. */
export function problemOf({ text }: Pick<Answer, 'text'>): { type: string; detail: string } {
  try {
    const { type, detail } = JSON.parse(text) as Record<string, unknown>;
    return {
      type: typeof type === 'string' ? type : '',
      detail: typeof detail === 'string' ? detail : '',
    };
  } catch {
    return { type: '', detail: '' };
  }
}

function refusal(answer: Answer, url: string, wallMs: number): OrderFailure {
  const { type, detail } = problemOf(answer);
  const word = type.replace(/^urn:ietf:params:acme:error:/, '');
  const { hostname } = new URL(url);
  const said = [word, plain(detail)].filter((text) => text !== '').join(': ');
  const cause = `${hostname} refuses with ${answer.status}${said === '' ? '' : `, ${said}`}`;
  const server = answer.status >= 500;
  return new OrderFailure(
    cause,
    REMEDIES[word] ?? (server ? 'tried again by itself' : 'see what the CA says; tried again'),
    server ? 'unreachable' : 'refused',
    retryAfterMs(answer, wallMs),
  );
}

const REMEDIES: Readonly<Record<string, string>> = {
  rateLimited: 'nothing: tried again when the CA allows',
  unauthorized: 'the account is not in force: move [acme] account_key away for a new one',
  externalAccountRequired: 'this CA needs an account bound by hand: an ACME client with the hooks',
  rejectedIdentifier: 'correct names in [[acme.certificate]]',
  invalidContact: 'correct [acme] contact',
  caa: 'a CAA record that allows this CA',
};

/** What a CA says goes on screens and into logs: one line of ASCII. */
export const plain = (text: string): string => text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 300);

/** Retry-After (RFC 9110, 10.2.3), seconds or a date, as ms from now; 0: none. At most a day. */
export function retryAfterMs({ headers }: Pick<Answer, 'headers'>, wallMs: number): number {
  const value = headers['retry-after'];
  if (typeof value !== 'string') return 0;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - wallMs;
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, ms), 86_400_000);
}

interface Question {
  readonly method: string;
  readonly url: string;
  readonly body: string | null;
  readonly ca: string | null;
}

async function question({ method, url, body, ca }: Question): Promise<Answer> {
  // Nothing else in the agent needs it: 3 ms and 0.8 MB at every start otherwise.
  const { request } = await import('node:https');
  return new Promise((resolve, reject) => {
    const fail = (error: unknown): void => {
      reject(
        new OrderFailure(
          `${new URL(url).host} cannot be asked: ${sentence(error)}`,
          'that server, the way to it, and [acme] ca for a private one; tried again',
          'unreachable',
        ),
      );
    };
    const timer = setTimeout(() => asked.destroy(new Error(TOO_LATE)), ASK_MS);
    const headers = {
      'user-agent': 'proxyctl',
      ...(body === null
        ? {}
        : { 'content-type': 'application/jose+json', 'content-length': Buffer.byteLength(body) }),
    };
    const options = { method, headers, agent: false, ...(ca === null ? {} : { ca }) };
    const asked = request(url, options, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > LONGEST) asked.destroy(new Error('its answer is over 1 MB'));
      });
      answer.on('error', fail);
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }),
      );
    });
    asked.on('error', fail);
    asked.on('close', () => {
      clearTimeout(timer);
      fail(new Error('the connection was closed'));
    });
    asked.end(body ?? undefined);
  });
}

const TOO_LATE = `no answer within ${ASK_MS / 1000} s`;
