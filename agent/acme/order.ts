import { generateKeyPairSync } from 'node:crypto';
import { isToken } from '../core/certs/challenge.ts';
import type { AccountKey } from './account-key.ts';
import { certificateRequest } from './csr.ts';
import { jsonOf, plain, problemOf, retryAfterMs, type Answer, type Exchange } from './exchange.ts';
import { OrderFailure } from './failure.ts';

export interface OrderOptions {
  readonly directory: string;
  /** A mail address; empty: none is told. */
  readonly contact: string;
  readonly names: readonly string[];
  readonly key: AccountKey;
  readonly exchange: Exchange;
  /** Resolves once every node answers the token. */
  readonly present: (token: string, keyAuthorization: string, name: string) => Promise<void>;
  readonly cleanup: (token: string) => Promise<void>;
  readonly pause: (ms: number) => Promise<void>;
  readonly nowMs: () => number;
  readonly wallMs: () => number;
}

/** The CA may take so long for all that it checks of one name, or to sign, ms. */
const READY_MS = 120_000;
const POLL_MS = 1000;
const LONGEST_POLL_MS = 10_000;

type Json = Readonly<Record<string, unknown>>;

/**
 * One order of RFC 8555 from the directory to the chain, with http-01. Resolves to the PEM
 * bundle: leaf, chain, and a P-256 key that is nowhere else. Throws OrderFailure; tokens are
 * taken back in any case.
 */
export async function order(options: OrderOptions): Promise<string> {
  const { directory, exchange, names } = options;
  const urls = jsonOf(await exchange.get(directory), directory);
  const newNonce = urlIn(urls, 'newNonce');
  const post = async (url: string, payload: unknown): Promise<{ answer: Answer; json: Json }> => {
    const answer = await exchange.signed(newNonce, url, payload);
    return { answer, json: jsonOf(answer, url) };
  };

  // With a known key this answers with the account there is (RFC 8555, 7.3.1).
  const contact = options.contact === '' ? {} : { contact: [`mailto:${options.contact}`] };
  const newAccount = urlIn(urls, 'newAccount');
  const { answer: made } = await post(newAccount, { termsOfServiceAgreed: true, ...contact });
  exchange.account(locationOf(made, newAccount));

  const newOrder = urlIn(urls, 'newOrder');
  const identifiers = names.map((value) => ({ type: 'dns', value }));
  const { answer: placed, json: opened } = await post(newOrder, { identifiers });
  const orderUrl = locationOf(placed, newOrder);
  for (const url of urlsIn(opened, 'authorizations')) await prove(options, url, post);

  const settled = (url: string, going: readonly string[]): Promise<Json> =>
    polled(options, () => post(url, null), going);
  await settled(orderUrl, ['pending']);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const csr = certificateRequest(privateKey, names).toString('base64url');
  await post(urlIn(opened, 'finalize'), { csr });
  const done = await settled(orderUrl, ['ready', 'processing']);
  if (done['status'] !== 'valid')
    throw new OrderFailure(
      `the order ended ${word(done['status'])}${errorIn(done)}`,
      'see what the CA says; tried again',
    );
  const chain = await exchange.signed(newNonce, urlIn(done, 'certificate'), null);
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return `${chain.text.trim()}\n${key}`;
}

type Post = (url: string, payload: unknown) => Promise<{ answer: Answer; json: Json }>;

/** Proves one name. */
async function prove(options: OrderOptions, url: string, post: Post): Promise<void> {
  const { json: authorization } = await post(url, null);
  if (authorization['status'] === 'valid') return;
  const name = word((authorization['identifier'] as Json | undefined)?.['value']);
  const challenges = authorization['challenges'];
  const http = (Array.isArray(challenges) ? (challenges as Json[]) : []).find(
    ({ type }) => type === 'http-01',
  );
  if (http === undefined)
    throw new OrderFailure(
      `the CA takes no http-01 for ${name}`,
      'an ACME client with dns-01 and the hooks',
    );
  const token = word(http['token']);
  if (!isToken(token))
    throw new OrderFailure('the CA gives a token that is none', 'see [acme] directory');
  await options.present(token, `${token}.${options.key.thumbprint}`, name);
  try {
    await post(urlIn(http, 'url'), {});
    const ended = await polled(options, () => post(url, null), ['pending', 'processing']);
    if (ended['status'] === 'valid') return;
    const answered = ended['challenges'];
    const failed = (Array.isArray(answered) ? (answered as Json[]) : []).find(({ error }) => error);
    throw new OrderFailure(
      `the CA could not verify ${name}${errorIn(failed ?? {})}`,
      `DNS of ${name}, and port 80 to these hosts: proxyctl doctor`,
    );
  } finally {
    await options.cleanup(token).catch(() => undefined);
  }
}

/** Asks until `status` is none of `going`. */
async function polled(
  { pause, nowMs, wallMs }: OrderOptions,
  look: () => Promise<{ answer: Answer; json: Json }>,
  going: readonly string[],
): Promise<Json> {
  const endMs = nowMs() + READY_MS;
  for (;;) {
    const { answer, json } = await look();
    if (!going.includes(word(json['status']))) return json;
    const askedMs = Math.min(LONGEST_POLL_MS, retryAfterMs(answer, wallMs()));
    if (nowMs() >= endMs)
      throw new OrderFailure(
        `the CA is not done after ${READY_MS / 1000} s`,
        'nothing: tried again',
        'refused',
        retryAfterMs(answer, wallMs()),
      );
    await pause(Math.max(POLL_MS, askedMs));
  }
}

const word = (value: unknown): string => (typeof value === 'string' ? plain(value) : '');

const errorIn = ({ error }: Json): string => {
  const { detail } = problemOf({ text: JSON.stringify(error ?? {}) });
  return detail === '' ? '' : `: ${plain(detail)}`;
};

function urlIn(json: Json, key: string): string {
  const value = json[key];
  if (typeof value === 'string' && value.startsWith('https://')) return value;
  throw new OrderFailure(
    `the ACME server names no ${key}`,
    'is [acme] directory the URL of an ACME directory?',
  );
}

function urlsIn(json: Json, key: string): string[] {
  const value = json[key];
  return Array.isArray(value) ? value.map((url) => urlIn({ [key]: url as unknown }, key)) : [];
}

function locationOf({ headers }: Answer, url: string): string {
  const { location } = headers;
  if (typeof location === 'string') return new URL(location, url).href;
  throw new OrderFailure(`${url} names no location`, 'is [acme] directory an ACME server?');
}
