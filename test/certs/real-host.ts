import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { ExecutionContext } from 'ava';
import { placesBy } from '../../agent/certs/places.ts';
import { certificateFiles } from '../../agent/certs/files.ts';
import { inspect } from '../../agent/certs/inspect.ts';
import { swapJournal } from '../../agent/certs/journal.ts';
import type { NodeSwapParts } from '../../agent/certs/port.ts';
import { nodeSwap, type NodeSwap } from '../../agent/certs/swap.ts';
import type { Risk, SwapBundle } from '../../agent/core/acts.ts';
import type { SwapReading } from '../../agent/core/certs/swap-messages.ts';
import { certificateDetails } from '../../agent/haproxy/certificate-details.ts';
import { certificates } from '../../agent/haproxy/certificates.ts';
import { atLeast, readInfo } from '../../agent/haproxy/info.ts';
import { runtime, type Runtime } from '../../agent/haproxy/runtime.ts';
import { askListener, listenersOf } from '../../agent/certs/listeners.ts';
import { configFiles } from '../../agent/haproxy/config-files.ts';
import { startedWith } from '../../agent/haproxy/started-with.ts';
import { freePorts, runHaproxy, shortFolder } from '../haproxy/haproxy.ts';
import { NOW } from './bundles.ts';

interface Setup {
  /** Files of the host by their name in its folder. */
  readonly files: Readonly<Record<string, string>>;
  /** What follows `bind ADDRESS ssl`, one for each listener. */
  readonly binds: readonly string[];
  /** Lines of `global`, and whole sections before the frontend. */
  readonly global?: readonly string[];
  readonly sections?: readonly string[];
  readonly program?: string;
  /** Addresses that another node has. */
  readonly elsewhere?: readonly string[];
  /** Lines behind the frontend. */
  readonly more?: readonly string[];
  /** Of its command line; FOLDER as in the configuration. */
  readonly args?: readonly string[];
  /** What a commit does besides, for a failure behind it. */
  readonly breaks?: (parts: NodeSwapParts) => NodeSwapParts;
}

/** One host: a real HAProxy with its certificate files, and the agent's part of a swap on it. */
export interface RealHost {
  readonly at: (name: string) => string;
  readonly ask: Runtime;
  readonly parts: NodeSwapParts;
  readonly swap: NodeSwap;
  readonly ports: readonly number[];
  /** Of the HAProxy that runs now. */
  readonly pid: () => number | undefined;
  /** Starts HAProxy anew with what is on disk. */
  readonly restart: () => Promise<void>;
  readonly text: (name: string) => string;
  readonly mode: (name: string) => string;
  /** From prepare to finish; resolves to what prepare said. */
  readonly push: (bundles: readonly SwapBundle[], risks?: readonly Risk[]) => Promise<SwapReading>;
  /** By path: SHA-1 in memory, on disk and at a client. */
  readonly everywhere: () => Promise<Record<string, readonly (string | null)[]>>;
}

/** `FOLDER` in the lines of its configuration stands for the folder of its files. */
export async function realHost(t: ExecutionContext, setup: Setup): Promise<RealHost> {
  const folder = shortFolder(t);
  const at = (name: string): string => join(folder, name);
  for (const [name, text] of Object.entries(setup.files)) {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), text.replaceAll('FOLDER', folder), { mode: 0o600 });
  }
  const ports = await freePorts(setup.binds.length);
  const socketPath = at('a.sock');
  const config = at('haproxy.conf');
  const lines = [
    'global',
    `    stats socket ${socketPath} mode 600 level admin expose-fd listeners`,
    ...(setup.global ?? []),
    ...(setup.sections ?? []),
    'defaults',
    '    mode http',
    '    timeout connect 1s',
    '    timeout client 5s',
    '    timeout server 5s',
    'frontend web',
    ...setup.binds.map((bind, n) => `    bind 127.0.0.1:${ports[n]} ssl ${bind}`),
    '    http-request return status 200',
    ...(setup.more ?? []),
    '',
  ];
  writeFileSync(config, lines.join('\n').replaceAll('FOLDER', folder));
  const { program } = setup;
  const { start, child, ...running } = await runHaproxy(t, {
    config,
    socketPath,
    args: (setup.args ?? []).map((one) => one.replaceAll('FOLDER', folder)),
    ...(program === undefined ? {} : { program }),
  });
  const { version } = await readInfo(running.ask);
  const large = atLeast(version, 3, 4) ? { payloadLimit: () => 130_000 } : {};
  const ask = runtime(socketPath, { deadlineMs: 5000, ...large });
  const restart = async (): Promise<void> => {
    const old = child();
    await start(['-sf', String(old.pid)]);
  };
  const configuration = configFiles(startedWith({ ask, config }));
  const scan = async () => (await configuration()).scan;
  const details = (path: string) => certificateDetails(ask, path);
  const algorithm = async (path: string) => (await details(path))?.algorithm ?? '';
  const readList = async (path: string) =>
    certificateFiles.read(resolve((await scan()).directory ?? '/', path));
  const parts: NodeSwapParts = {
    node: 'n1',
    haproxy: { ...certificates(ask), version: async () => (await readInfo(ask)).version },
    files: certificateFiles,
    journal: swapJournal(at('swaps')),
    listeners: () =>
      listenersOf({
        binds: async () => {
          const { binds, scan: said } = await configuration();
          return { binds, crtBase: said.crtBase };
        },
        haproxy: certificates(ask),
        readList,
        elsewhere: () => setup.elsewhere ?? [],
      }),
    ask: askListener,
    reload: restart,
    canReload: true,
    wallMs: () => NOW,
    map: {},
    ...placesBy({ node: 'n1', scan, details }),
    algorithm,
  };
  const swap = nodeSwap(setup.breaks?.(parts) ?? parts);
  let count = 0;
  return {
    at,
    ask,
    parts,
    swap,
    ports,
    pid: () => child().pid,
    restart,
    text: (name) => readFileSync(at(name), 'utf8'),
    mode: (name) => (statSync(at(name)).mode & 0o777).toString(8),
    async push(bundles, risks = []) {
      const swapId = `s${++count}`;
      const said = await swap.prepare(prepareOf(swapId, bundles, risks));
      await swap.commit(swapId);
      await swap.finish(swapId);
      return said;
    },
    async everywhere() {
      const found = await inspect(parts, [], true);
      return Object.fromEntries(
        found.map(({ path, memory, disk, served: shown }) => [
          path.replace(`${folder}/`, ''),
          [memory, disk, shown],
        ]),
      );
    },
  };
}

/** What a coordinator on the same host asks for. */
export const prepareOf = (
  swapId: string,
  bundles: readonly SwapBundle[],
  acceptRisks: readonly Risk[] = [],
) => ({
  swapId,
  bundles,
  dryRun: false,
  acceptRisks,
  coordinator: 'n1',
  members: ['n1'],
  stamp: { wallMs: NOW, count: 0, node: 'n1' },
  actor: 'anna',
  reason: '',
});
