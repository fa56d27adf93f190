import { parseJournal, serialise, type SwapEntry } from '../../agent/certs/entry.ts';
import { CertificateFileError } from '../../agent/certs/files.ts';
import { describe } from '../../agent/certs/describe.ts';
import type { SwapJournal } from '../../agent/certs/journal.ts';
import type { NodeSwapParts } from '../../agent/certs/port.ts';
import { compareStamps, type Intents } from '../../agent/core/intents.ts';
import { NOW } from './bundles.ts';

/** One host: what survives its agent, and what its HAProxy has. */
export interface Host {
  readonly node: string;
  readonly disk: Map<string, string>;
  /** What was written beside a file and is not in its place yet. */
  readonly beside: Map<string, string>;
  /** Empty text: a certificate without content. */
  readonly memory: Map<string, string>;
  /** Lines of the crt-lists that HAProxy uses, `/list` where there is one. */
  readonly lists: Map<string, string[]>;
  readonly journals: Map<string, string>;
  readonly kept: Map<string, string>;
  intents: Intents;
  transaction: { readonly path: string; readonly pem: string } | null;
  haproxyUp: boolean;
  diskFull: boolean;
  agentDead: boolean;
  replyLost: boolean;
  steps: number;
  readonly done: string[];
}

/** The crt-list of a host that has one. */
export const LIST = '/list';
export const linesOf = (text: string): string[] =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));

type Step = <T>(name: string, work: () => T) => Promise<T>;

/** HAProxy starts anew with what is on disk. */
export function reload(host: Host): void {
  host.memory.clear();
  host.transaction = null;
  const list = host.disk.get(LIST);
  if (list !== undefined) {
    const lines = linesOf(list);
    host.lists.set(LIST, lines);
    for (const [path = ''] of lines.map((line) => line.split(' '))) {
      const pem = host.disk.get(path);
      if (pem === undefined) throw new Error(`HAProxy does not start: ${LIST} names ${path}`);
      host.memory.set(path, pem);
    }
    return;
  }
  for (const [path, pem] of host.disk)
    if (!path.endsWith('.key')) host.memory.set(path, pem + (host.disk.get(`${path}.key`) ?? ''));
}

/** What the swap of one host works with: every call is a step, and `after` hears its number. */
export function partsOf(host: Host, after: (at: number) => void): NodeSwapParts {
  const step = async <T>(name: string, work: () => T): Promise<T> => {
    if (host.agentDead) throw new Error('this agent is dead');
    const at = host.steps++;
    host.done.push(name);
    const value = work();
    after(at);
    return await Promise.resolve(value);
  };
  const haproxy = <T>(name: string, work: () => T): Promise<T> =>
    step(name, () => {
      if (!host.haproxyUp) throw new Error('HAProxy does not answer');
      return work();
    });
  const writing = <T>(name: string, work: () => T): Promise<T> =>
    step(name, () => {
      if (host.diskFull) throw new Error('ENOSPC');
      return work();
    });
  const report = (path: string, pem: string) => ({
    path,
    fingerprint: describe(pem)?.sha1 ?? '',
    notAfter: '2026-12-31T00:00:00Z',
    names: [`${path.slice(1, 2)}.test`],
  });
  const loaded = (path: string) => {
    const pem = host.memory.get(path);
    return pem === undefined || pem === '' ? null : report(path, pem);
  };
  const stageFile = (path: string, pem: string) =>
    writing('stageFile', () => void host.beside.set(path, pem));
  const all = async <T>(items: readonly T[], run: (item: T) => Promise<unknown>): Promise<void> => {
    for (const item of items) await run(item);
  };
  return {
    node: host.node,
    haproxy: {
      version: () => haproxy('version', () => '2.6.12'),
      paths: () => haproxy('paths', () => [...host.memory.keys()]),
      list: () =>
        haproxy('list', () => [...host.memory.keys()].flatMap((path) => loaded(path) ?? [])),
      loaded: (path) => haproxy('loaded', () => loaded(path)),
      loadedAll: (paths) => haproxy('loadedAll', () => paths.map(loaded)),
      openTransaction: () => haproxy('openTransaction', () => host.transaction?.path ?? null),
      stage: (path, pem) => haproxy('stage', () => void (host.transaction = { path, pem })),
      staged: (path) =>
        haproxy('staged', () => {
          if (host.transaction?.path !== path) throw new Error('not staged');
          return describe(host.transaction.pem)?.sha1 ?? '';
        }),
      commit: (path) =>
        haproxy('commit', () => {
          if (host.transaction?.path !== path) throw new Error('No ongoing transaction!');
          if (!host.memory.has(path)) throw new Error('no such certificate');
          host.memory.set(path, host.transaction.pem);
          host.transaction = null;
          return null;
        }),
      abort: () => haproxy('abort', () => void (host.transaction = null)),
      crtLists: () => haproxy('crtLists', () => [...host.lists.keys()]),
      listed: (list) =>
        haproxy('listed', () =>
          (host.lists.get(list) ?? []).map((text, line) => {
            const [path = '', ...filters] = text.split(' ');
            return { path, line, filters };
          }),
        ),
      create: (path) =>
        haproxy('create', () => {
          if (host.memory.has(path)) throw new Error('already exists!');
          host.memory.set(path, '');
        }),
      drop: (path) =>
        haproxy('drop', () => {
          const used = [...host.lists.values()].flat().some((line) => line.split(' ')[0] === path);
          if (used || !host.memory.delete(path)) throw new Error('in use, or not there');
        }),
      addToList: (list, line) =>
        haproxy('addToList', () => {
          if (loaded(line.split(' ')[0] ?? '') === null) throw new Error('is empty!');
          host.lists.get(list)?.push(line);
        }),
      removeFromList: (list, { line }) =>
        haproxy('removeFromList', () => void host.lists.get(list)?.splice(line, 1)),
    },
    files: {
      read: (path) =>
        step('read', () => {
          const text = host.disk.get(path);
          if (text !== undefined) return text;
          const missing = Object.assign(new Error('none'), { code: 'ENOENT' });
          throw new CertificateFileError('read', path, missing);
        }),
      stage: (files) => all(files, ({ path, pem }) => stageFile(path, pem)),
      install: (files) =>
        all(files, async ({ path, pem }) => {
          if (host.beside.get(path) !== pem) await stageFile(path, pem);
          await step('rename', () => {
            host.disk.set(path, pem);
            host.beside.delete(path);
          });
        }),
      unstage: (paths) =>
        all(paths, (path) => step('unstage', () => void host.beside.delete(path))),
      remove: (path) => step('remove', () => void host.disk.delete(path)),
    },
    journal: journalOf(host, step, writing),
    // Not steps: what breaks between two handshakes is what breaks before or after them.
    listeners: () =>
      Promise.resolve([
        {
          name: 'frontend web (:443)',
          place: { host: '127.0.0.1', port: 443, unix: null, proxy: 'no' as const },
          barrier: '',
          hint: '',
          wantsClient: false,
          lists: [...host.lists.keys()],
          holds: [...host.memory.keys()].map((path) => ({ path, filters: [] })),
        },
      ]),
    ask: (_place, servername) => {
      const path = [...host.memory.keys()].find((one) => `${one.slice(1, 2)}.test` === servername);
      const shown = host.haproxyUp && path !== undefined ? loaded(path) : null;
      return shown === null
        ? Promise.reject(new Error('nothing is shown'))
        : Promise.resolve(shown.fingerprint);
    },
    reload: () => haproxy('reload', () => reload(host)),
    canReload: true,
    wallMs: () => NOW,
    map: {},
    placeOf,
    placing: () => placeOf,
    algorithm: () => Promise.resolve('EC256'),
  };
}

/** Files that HAProxy may look for beside a certificate. */
const NOWHERE = { ocsp: null, issuer: null, sctl: null };
const placeOf: NodeSwapParts['placeOf'] = (path) =>
  Promise.resolve({ ...NOWHERE, certificate: path, key: `${path}.key` });

function journalOf(host: Host, step: Step, writing: Step): SwapJournal {
  const all = (from: ReadonlyMap<string, string>): SwapEntry[] =>
    [...from.values()].flatMap((text) => parseJournal(text) ?? []);
  return {
    write: (entry) =>
      writing('journal.write', () => void host.journals.set(entry.swapId, serialise(entry))),
    read: () => step('journal.read', () => ({ entries: all(host.journals), damaged: [] })),
    remove: (swapId) => step('journal.remove', () => void host.journals.delete(swapId)),
    keep: (swapId) =>
      step('journal.keep', () => {
        const text = host.journals.get(swapId);
        if (text !== undefined) host.kept.set(swapId, text);
        host.journals.delete(swapId);
      }),
    kept: () =>
      step('journal.kept', () => all(host.kept).sort((a, b) => compareStamps(b.stamp, a.stamp))),
  };
}
