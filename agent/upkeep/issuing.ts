import { createHash, randomInt, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { accountKey } from '../acme/account-key.ts';
import { exchange } from '../acme/exchange.ts';
import { OrderFailure } from '../acme/failure.ts';
import { startIssuer, type Issuer } from '../acme/issuer.ts';
import { order } from '../acme/order.ts';
import { blocksOf } from '../certs/blocks.ts';
import { isCertificate } from '../certs/mend.ts';
import { namesOf, readCertificate, sha1Of } from '../certs/certificate.ts';
import { readDisk } from '../certs/disk.ts';
import type { HaproxyCertificates, NodeSwapParts } from '../certs/port.ts';
import type { Config } from '../config/config.ts';
import type { ActHeader, Risk } from '../core/acts.ts';
import { ActFailure } from '../core/results.ts';
import { refusalKey, wish } from '../core/intents.ts';
import {
  ordererOf,
  parseRefusal,
  refusalText,
  type InPlace,
  type Refusal,
} from '../core/certs/issuing.ts';
import { sentence } from '../core/words.ts';
import type { Log } from '../log.ts';
import type { Problems } from '../problems.ts';
import { setChallenge } from '../verbs/challenge.ts';
import { stamped, storeEverywhere, type Pair } from '../verbs/pair.ts';
import { pushCertificate } from '../verbs/push.ts';

/** Where a certificate lies on this host, and whether HAProxy has it. */
type Here = Pick<NodeSwapParts, 'files' | 'placeOf'> & {
  readonly haproxy: Pick<HaproxyCertificates, 'loaded'>;
};

export interface IssuingOptions {
  readonly pair: Pair;
  readonly config: Config['acme'];
  readonly parts: Here;
  readonly log: Log;
  readonly problems: Problems;
}

/** `[acme] directory`: certificates that the agents order by themselves, over the same verbs as an operator's. */
export function issuing({ pair, config, parts, log, problems }: IssuingOptions): Issuer {
  const { clock, node } = pair;
  const silent = (): void => undefined;

  const header = (reason: string, acceptRisks: readonly Risk[] = []): ActHeader => ({
    requestId: randomUUID(),
    actor: 'acme',
    reason,
    acceptRisks,
    dryRun: false,
    timeoutMs: null,
    seen: null,
  });
  const challenge = async (token: string, keyAuthorization: string | null, domain: string) => {
    const act = { header: header(''), token, keyAuthorization, domain };
    await asOrderFailure(() => setChallenge(pair, act, config.tokenTtlMs, silent));
  };

  async function remember(names: readonly string[], refusal: Refusal | null): Promise<void> {
    const { value, forMs } =
      refusal === null ? { value: '', forMs: null } : refusalText(refusal, clock.wallMs());
    const one = {
      key: refusalKey(hashOf(names)),
      value,
      deleted: refusal === null,
      untilMs: forMs,
    };
    const stored = await storeEverywhere(
      pair,
      stamped(pair, header(names.join(' ').slice(0, 100)), [one]),
    );
    for (const { node: on, ok, error } of stored)
      if (!ok && on === node)
        log.warn('acme-order', { step: 'failed' }, `not remembered: ${error?.message ?? ''}`);
  }

  return startIssuer({
    node,
    certificates: config.certificates,
    clock,
    problems,
    random: () => randomInt(1_000_000) / 1_000_000,
    orderer: () => ordererOf(pair.view()),
    inPlace: (path) => inPlace(parts, path),
    refused(names) {
      const intent = wish(pair.intents(), refusalKey(hashOf(names)), clock.wallMs());
      return intent === null ? null : parseRefusal(intent.value);
    },
    remember,
    log(step, path, text) {
      if (step === 'failed') log.warn('acme-order', { step, path }, text);
      else log.info('acme-order', { step, path }, text);
    },
    async order({ names }, goOn) {
      const key = await accountKey(config.accountKey);
      const ca = config.ca === '' ? null : await bundleOf(config.ca);
      return order({
        directory: config.directory,
        contact: config.contact,
        names,
        key,
        exchange: exchange({ ca, key, goOn, wallMs: () => clock.wallMs() }),
        present: (token, keyAuth, name) => challenge(token, keyAuth, name),
        cleanup: (token) => challenge(token, null, ''),
        pause: (ms) => new Promise((resolve) => clock.after(ms, resolve)),
        nowMs: () => clock.nowMs(),
        wallMs: () => clock.wallMs(),
      });
    },
    async push(path, pem, placeholder) {
      // A peer that is away catches up; without that nobody could take over from a dead node.
      const risks: Risk[] = ['peer-unknown', ...(placeholder ? (['names-lost'] as const) : [])];
      const asked = header(`issued by ${new URL(config.directory).hostname}`, risks);
      const bundles = [{ path, pem }];
      await asOrderFailure(() => pushCertificate(pair, { header: asked, bundles }, silent));
    },
  });
}

/** The same on every node, in whatever order agent.toml lists them. */
const hashOf = (names: readonly string[]): string =>
  createHash('sha256')
    .update([...names].sort().join(' '))
    .digest('hex')
    .slice(0, 16);

async function inPlace(parts: Here, path: string): Promise<InPlace | null> {
  if ((await parts.haproxy.loaded(path)) === null) return null;
  const leaf = blocksOf((await readDisk(parts, path)).text).find(isCertificate);
  if (leaf === undefined) return null;
  const certificate = readCertificate(leaf.text, 1);
  const { subject, issuer } = certificate.x509;
  return {
    names: namesOf(certificate).map((name) => name.toLowerCase()),
    notBeforeMs: certificate.notBeforeMs,
    notAfterMs: certificate.notAfterMs,
    selfSigned: subject === issuer,
    fingerprint: sha1Of(certificate),
  };
}

/** A verb's refusal, whether thrown or returned, is one of the order; the CA counts nothing for it. */
async function asOrderFailure(
  act: () => Promise<{ readonly outcome: string; readonly error: ActFailure['detail'] | null }>,
): Promise<void> {
  try {
    const { outcome, error } = await act();
    if (outcome === 'reached' || outcome === 'partial') return;
    throw ofDetail(error?.message ?? outcome, error?.cause ?? '', error?.remediation ?? '');
  } catch (error) {
    if (!(error instanceof ActFailure)) throw error;
    throw ofDetail(error.message, error.detail.cause, error.detail.remediation);
  }
}

const ofDetail = (message: string, cause: string, remediation: string): OrderFailure =>
  new OrderFailure(
    cause === '' ? message : `${message}: ${cause}`,
    remediation === '' ? 'tried again by itself' : remediation,
    'unreachable',
  );

async function bundleOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new OrderFailure(
      `[acme] ca ${path} cannot be read: ${sentence(error)}`,
      "a file that the agent's user may read",
      'unreachable',
    );
  }
}
