import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { encodeDeployment } from '../../agent/core/deploy/deployment.ts';
import type {
  DeployAnswer,
  Deployments,
  DeployState,
} from '../../agent/core/deploy/deployments.ts';
import type { PushEntry, PushPrepare } from '../../agent/core/deploy/push-messages.ts';
import { unverified } from '../../agent/core/deploy/read.ts';
import { failure } from '../../agent/deploy/failure.ts';
import { pushJournal } from '../../agent/deploy/journal.ts';
import { nodePush } from '../../agent/deploy/node.ts';
import { der, CONTEXT_0, oid, OCTET_STRING, SEQUENCE, SET } from '../../agent/core/der.ts';
import { haproxy as haproxyReport } from '../reports.ts';

/** The outside of a signed message, without who signed it: root's half is not asked here. */
export function messageOf(number: number, text: string): Buffer {
  const content = encodeDeployment({
    purpose: 'push',
    pair: 'web',
    nodes: ['haproxy01', 'haproxy02'],
    madeS: 1_800_000_000,
    untilS: 1_800_000_600,
    number,
    form: 'file',
    reason: '',
    files: [{ path: 'haproxy.conf', content: Buffer.from(text) }],
  });
  const data = der(
    SEQUENCE,
    oid('1.2.840.113549.1.7.1'),
    der(CONTEXT_0, der(OCTET_STRING, content)),
  );
  const signed = der(SEQUENCE, Buffer.from([2, 1, 1]), der(SET), data);
  return der(SEQUENCE, oid('1.2.840.113549.1.7.2'), der(CONTEXT_0, signed));
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** Root of one host, as its helper behaves; `answers` are given instead of its own. */
export function root(text = 'old\n') {
  const host = {
    text,
    state: { last: 0, state: 'none', versions: [] } as Pick<
      DeployState,
      'last' | 'state' | 'versions'
    >,
    before: text,
    asked: [] as string[],
    answers: {} as Partial<Record<'check' | 'install' | 'back' | 'keep', DeployAnswer>>,
    refuses: '',
  };
  const done: DeployAnswer = { kind: 'done', lines: [] };
  const deployments: Deployments = {
    get refuses() {
      return host.refuses;
    },
    revocations: async () => void host.asked.push('lists'),
    check: async () => {
      host.asked.push('check');
      return host.answers.check ?? done;
    },
    install: async (message, digest) => {
      host.asked.push('install');
      if (host.answers.install !== undefined) return host.answers.install;
      const { number, files } = unverified(message);
      if (digest !== null && digest !== sha256(host.text))
        return { kind: 'refused', why: 'somebody has changed it meanwhile' };
      host.before = host.text;
      host.text = Buffer.from(files[0]?.content ?? []).toString();
      const version = {
        number,
        who: 'anna',
        madeS: 1,
        installedS: 2,
        digest: sha256(host.text),
        before: sha256(host.before),
        reason: '',
      };
      host.state = { last: number, state: 'pending', versions: [version, ...host.state.versions] };
      return done;
    },
    back: async () => {
      host.asked.push('back');
      if (host.answers.back !== undefined) return host.answers.back;
      host.text = host.before;
      host.state = { ...host.state, state: 'back' };
      return done;
    },
    keep: async () => {
      host.asked.push('keep');
      host.state = { ...host.state, state: 'kept' };
      return done;
    },
    state: async () => ({ ...host.state, digest: sha256(host.text), form: 'file' }),
    message: () => Promise.reject(new Error('not asked here')),
  };
  return { host, deployments };
}

/** One node with such a root; its HAProxy fails to serve every text in `bad`. */
export function pushedNode(
  t: ExecutionContext,
  { node = 'haproxy01', text = 'old\n', bad = ['bad\n'] } = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'push-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const { host, deployments } = root(text);
  const journal = pushJournal(join(folder, 'push'));
  const pushed: PushEntry[] = [];
  const state = { haproxy: haproxyReport(), running: text, reloads: 0 };
  const reload = async (): Promise<void> => {
    state.reloads++;
    if (bad.includes(host.text)) throw failure('failed', 'not_served', `${node} does not serve`);
    state.running = host.text;
  };
  const make = () =>
    nodePush({
      node,
      path: '/etc/haproxy.conf',
      deployments,
      lists: () => '',
      journal,
      served: {
        now: () => Promise.resolve(state.haproxy),
        reload,
        again: reload,
        restore: async () => {
          if (state.running !== host.text) await reload();
        },
      },
      pushed: (entry) => pushed.push(entry),
    });
  return { folder, host, journal, pushed, state, make, push: make() };
}

export const prepareOf = (message: Uint8Array, change: Partial<PushPrepare> = {}): PushPrepare => ({
  pushId: 'one',
  message,
  dryRun: false,
  acceptRisks: [],
  coordinator: 'haproxy01',
  members: ['haproxy02', 'haproxy01'],
  settleMs: 10_000,
  actor: 'anna',
  reason: 'more room',
  ...change,
});
