import { MOST_MESSAGE_BYTES } from '../core/deploy/deployment.ts';
import type { DeployAnswer, Deployments, DeployState } from '../core/deploy/deployments.ts';
import { HelperError, type Helper } from './helper.ts';

/** It waits 30 s for the check, and some seconds for openssl and the disk. */
const DEPLOY_MS = 45_000;
/** Of what a check prints. */
const MOST_LINES = 200;
const LONGEST_LINE = 1000;
/** As helper.sh takes revocation lists. */
const MOST_LIST_BYTES = 1 << 20;

const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

/** By the helper, which was started as root with `deploy`. */
export function helperDeployments(helper: Helper): Deployments {
  const answer = async (words: readonly string[], content?: Uint8Array): Promise<DeployAnswer> => {
    if ((content?.length ?? 0) > MOST_MESSAGE_BYTES)
      return {
        kind: 'refused',
        why: `it has ${content?.length} bytes; at most ${MOST_MESSAGE_BYTES} are taken`,
      };
    try {
      return { kind: 'done', lines: shown(await helper.ask(words, DEPLOY_MS, content)) };
    } catch (error) {
      if (!(error instanceof HelperError)) throw error;
      return answerOf(error);
    }
  };
  const bytes = (content: Uint8Array): string => String(content.length);
  return {
    refuses: '',
    async revocations(lists) {
      const content = Buffer.from(lists);
      if (content.length === 0) return;
      if (content.length > MOST_LIST_BYTES)
        throw new Error(
          `revocation lists of ${content.length} bytes; at most ${MOST_LIST_BYTES} are taken`,
        );
      await helper.ask(['deploy-crl', bytes(content)], DEPLOY_MS, content);
    },
    check: (message) => answer(['deploy-check', bytes(message)], message),
    install: (message, digest) =>
      answer(['deploy-install', bytes(message), ...(digest === null ? [] : [digest])], message),
    back: (number) => answer(['deploy-back', String(number)]),
    keep: (number) => answer(['deploy-keep', String(number)]),
    state: async () => stateOf(await helper.ask(['deploy-list'], DEPLOY_MS)),
    async message(number) {
      const lines = await helper.ask(['deploy-show', String(number)], DEPLOY_MS);
      return Buffer.from(lines.join('').replaceAll(/\s/g, ''), 'hex');
    },
  };
}

/** Where root does not allow it, or there is no root: nothing is done, and this is why. */
export function noDeployments(why: string): Deployments {
  const refused = (): Promise<DeployAnswer> => Promise.resolve({ kind: 'refused', why });
  const rejected = (): Promise<never> => Promise.reject(new Error(why));
  return {
    refuses: why,
    // Nobody needs them here.
    revocations: () => Promise.resolve(),
    check: refused,
    install: refused,
    back: refused,
    keep: refused,
    state: rejected,
    message: rejected,
  };
}

function answerOf(error: HelperError): DeployAnswer {
  const [first = '', ...lines] = error.message.split('\n');
  const said = first.slice(first.indexOf(': ') + 2);
  const why = said.replace(/^(?:refused|failed): (?:check: )?/, '');
  if (error.failure === 'refused') return { kind: 'refused', why };
  if (error.failure !== 'failed') return { kind: 'unknown', why };
  return said.startsWith('failed: check: ')
    ? { kind: 'unsound', why, lines: shown(lines) }
    : { kind: 'failed', why };
}

/** With the name that the file has for people, not the one of the copy that was checked. */
const shown = (lines: readonly string[]): string[] =>
  lines.slice(0, MOST_LINES).map((line) =>
    line
      .replaceAll(/\.([\w.@+=,-]+)\.proxyctl-\d+/g, '$1')
      .replaceAll('\t', ' ')
      .replaceAll(CONTROL, '?')
      .slice(0, LONGEST_LINE),
  );

const STATES = ['none', 'pending', 'kept', 'back'] as const;

function stateOf(lines: readonly string[]): DeployState {
  const [now = '', form, last, state, ...rest] = lines.map(valueOf);
  const versions = [];
  for (let at = 0; at + 7 <= rest.length; at += 7) {
    const [number, who = '', made, installed, digest = '', before = '', reason = ''] =
      rest.slice(at);
    versions.push({
      number: Number(number),
      who,
      madeS: Number(made),
      installedS: Number(installed),
      digest,
      before,
      reason: reason.replaceAll(CONTROL, '?'),
    });
  }
  return {
    digest: now,
    form: form === 'directory' ? 'directory' : 'file',
    last: Number(last),
    state: STATES.find((one) => one === state) ?? 'none',
    versions,
  };
}

/** "WORD VALUE" */
const valueOf = (line: string): string => line.slice(line.indexOf(' ') + 1);
