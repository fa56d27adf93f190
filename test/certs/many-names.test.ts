import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { certificateFiles } from '../../agent/certs/files.ts';
import { askListener } from '../../agent/certs/listeners.ts';
import { inspect } from '../../agent/certs/inspect.ts';
import { swapJournal } from '../../agent/certs/journal.ts';
import type { NodeSwapParts } from '../../agent/certs/port.ts';
import { careful } from '../../agent/certs/many-names.ts';
import { nodeSwap } from '../../agent/certs/swap.ts';
import type { SwapPrepare } from '../../agent/core/certs/swap-messages.ts';
import { certificates } from '../../agent/haproxy/certificates.ts';
import { startHaproxy } from '../haproxy/haproxy.ts';
import { bundle, issue, NOW, type Issued } from './bundles.ts';

/** Names that HAProxy prints in so many bytes, `DNS:` and commas with them. */
function namesOf(bytes: number): string[] {
  const names = ['a.test'];
  let left = bytes - 'DNS:a.test'.length;
  while (left > 190) {
    const name = `name-${names.length}.${'x'.repeat(50)}.test`;
    names.push(name);
    left -= name.length + ', DNS:'.length;
  }
  return [...names, 'z'.repeat(left - ', DNS:'.length)];
}

const { keys } = await issue({ subject: 'CN=a' });
const long = (bytes: number): Promise<Issued> =>
  issue({ subject: 'CN=a', keys, names: namesOf(bytes) });

/** A real HAProxy, what a swap of its host works with, and a reload. */
async function host(t: ExecutionContext, { listener = true } = {}) {
  const haproxy = await startHaproxy(t);
  const { ask, folder, tlsPort: port } = haproxy;
  const parts = careful({
    node: 'n1',
    haproxy: { ...certificates(ask), version: () => Promise.resolve('2.6.12') },
    files: certificateFiles,
    journal: swapJournal(join(folder, 'swaps')),
    listeners: () =>
      Promise.resolve(
        listener
          ? [
              {
                name: 'frontend web',
                place: { host: '127.0.0.1', port, unix: null, proxy: 'no' as const },
                barrier: '',
                hint: '',
                wantsClient: false,
                lists: [],
                holds: Object.values(haproxy.certificates).map((path) => ({ path, filters: [] })),
              },
            ]
          : [],
      ),
    ask: askListener,
    reload: async () => void (await haproxy.start(['-sf', String(haproxy.child().pid)])),
    canReload: true,
    wallMs: () => NOW,
    map: {},
    placeOf,
    placing: () => placeOf,
    algorithm: () => Promise.reject(new Error('HAProxy is not asked about these')),
  });
  return { haproxy, parts, swap: nodeSwap(parts), path: haproxy.certificates.a };
}

const placeOf: NodeSwapParts['placeOf'] = (path) =>
  Promise.resolve({ certificate: path, key: null, ocsp: null, issuer: null, sctl: null });

const prepare = (path: string, pem: string): SwapPrepare => ({
  swapId: 's1',
  bundles: [{ path, pem }],
  dryRun: false,
  acceptRisks: ['names-lost'],
  coordinator: 'n1',
  members: ['n1'],
  stamp: { wallMs: NOW, count: 0, node: 'n1' },
  actor: 'anna',
  reason: '',
});

// 2.6.12 aborts where its answer fills the buffer to the byte, which every other length does.
for (const bytes of [16_160, 16_161, 16_200, 16_201, 24_000])
  test.serial(
    `a certificate with names of ${bytes} bytes is loaded, listed and served, and HAProxy lives`,
    async (t) => {
      const { haproxy, parts, path } = await host(t);
      const { pid } = haproxy.child();
      const first = await long(bytes);
      writeFileSync(path, bundle(first));
      await parts.reload();
      t.not(haproxy.child().pid, pid);
      const names = namesOf(bytes);
      const [one] = await parts.haproxy.list();
      t.deepEqual(one, { path, fingerprint: first.sha1, notAfter: '2026-12-31T00:00:00Z', names });
      const [seen] = await inspect(parts, [], true);
      t.like(seen, { memory: first.sha1, disk: first.sha1, served: first.sha1, problem: '' });
      t.true((await haproxy.ask('show info')).includes(`\nPid: ${haproxy.child().pid}\n`));
    },
  );

test.serial(
  'one of few names is replaced by one of very many, and back, and each is verified',
  async (t) => {
    const { haproxy, parts, swap, path } = await host(t);
    const old = readFileSync(path, 'utf8');
    const [before] = await parts.haproxy.list();
    const next = await long(30_000);
    await swap.prepare(prepare(path, bundle(next)));
    const { certificates: after } = await swap.commit('s1');
    t.like(after[0], { fingerprintBefore: before?.fingerprint, fingerprint: next.sha1 });
    t.is((await parts.haproxy.loaded(path))?.fingerprint, next.sha1);
    t.is(readFileSync(path, 'utf8'), bundle(next));
    await swap.abort('s1');
    t.deepEqual((await parts.haproxy.list())[0], before);
    t.is(readFileSync(path, 'utf8'), old);
    t.deepEqual(await swap.open(), { entries: [], damaged: [] });
    t.true((await haproxy.ask('show info')).includes(`\nPid: ${haproxy.child().pid}\n`));
  },
);

test.serial(
  'without a listener that shows it, it is refused before anything is changed, and what is loaded is not guessed',
  async (t) => {
    const { haproxy, parts, swap, path } = await host(t, { listener: false });
    const old = readFileSync(path, 'utf8');
    const pem = bundle(await long(20_000));
    const first = await t.throwsAsync(swap.prepare(prepare(path, pem)));
    t.is(first.message, `${path} on n1: that the new one is served could not be verified`);
    t.is(readFileSync(path, 'utf8'), old);
    writeFileSync(path, pem);
    await haproxy.start(['-sf', String(haproxy.child().pid)]);
    const [one] = await inspect(parts, [], true);
    t.like(one, { memory: null, served: null });
    t.regex(one?.problem ?? '', /too many names for HAProxy to say/);
    const second = await t.throwsAsync(swap.prepare(prepare(path, old)));
    t.is(second.message, `which certificate HAProxy on n1 has as ${path} is not known`);
    t.is(readFileSync(path, 'utf8'), pem);
  },
);
