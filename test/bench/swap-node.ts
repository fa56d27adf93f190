import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { placesBy } from '../../agent/certs/places.ts';
import { certificateFiles } from '../../agent/certs/files.ts';
import { askListener } from '../../agent/certs/listeners.ts';
import { swapJournal } from '../../agent/certs/journal.ts';
import { careful } from '../../agent/certs/many-names.ts';
import { nodeSwap } from '../../agent/certs/swap.ts';
import type { SwapPrepare } from '../../agent/core/certs/swap-messages.ts';
import { certificateDetails } from '../../agent/haproxy/certificate-details.ts';
import { certificates } from '../../agent/haproxy/certificates.ts';
import { configFiles } from '../../agent/haproxy/config-files.ts';
import { readInfo } from '../../agent/haproxy/info.ts';
import { runtime } from '../../agent/haproxy/runtime.ts';

/** One call of the parent: a step of a swap. */
export type Call = { readonly at: number } & (
  | { readonly step: 'prepare'; readonly request: SwapPrepare }
  | { readonly step: 'commit' | 'abort' | 'finish'; readonly swapId: string }
);
export interface Answer {
  readonly at: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** A node's part of swaps in a process of its own, as on a host of its own; the parent calls. */
const [, , node = '', folder = '', port = ''] = process.argv;
const crt = join(folder, 'crt');
const ask = runtime(join(folder, 's'), { deadlineMs: 5000 });
const started = { files: [join(folder, 'haproxy.conf')], problem: '' };
const configuration = configFiles(() => Promise.resolve(started));
const scan = async () => (await configuration()).scan;
const details = (path: string) => certificateDetails(ask, path);
const swap = nodeSwap(
  careful({
    node,
    haproxy: { ...certificates(ask), version: async () => (await readInfo(ask)).version },
    files: certificateFiles,
    journal: swapJournal(join(folder, 'swaps')),
    listeners: () =>
      Promise.resolve([
        {
          name: 'frontend web',
          place: { host: '127.0.0.1', port: Number(port), unix: null, proxy: 'no' as const },
          barrier: '',
          hint: '',
          wantsClient: false,
          lists: [],
          holds: readdirSync(crt).map((name) => ({ path: join(crt, name), filters: [] })),
        },
      ]),
    ask: askListener,
    reload: () => Promise.reject(new Error('no reload here')),
    canReload: false,
    wallMs: () => Date.now(),
    map: Object.fromEntries(
      readdirSync(crt).map((name) => [name.replace('.pem', ''), join(crt, name)]),
    ),
    ...placesBy({ node, scan, details }),
    algorithm: async (path) => (await details(path))?.algorithm ?? '',
  }),
);

const done = (call: Call): Promise<unknown> =>
  call.step === 'prepare' ? swap.prepare(call.request) : swap[call.step](call.swapId);

process.on('message', (call: Call) => {
  const tell = (answer: Omit<Answer, 'at'>) => process.send?.({ at: call.at, ...answer });
  done(call).then(
    (value) => tell({ value }),
    (error: unknown) => tell({ error: error instanceof Error ? error.message : 'failed' }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.({ at: -1 } satisfies Answer);
