import { join, resolve } from 'node:path';
import type { InspectedCertificate } from '../core/answers.ts';
import type { CertificateReport } from '../core/model.ts';
import { certificateDetails } from '../haproxy/certificate-details.ts';
import { certificates } from '../haproxy/certificates.ts';
import { hostConfigFiles, type ConfigFiles } from '../haproxy/config-files.ts';
import { readInfo } from '../haproxy/info.ts';
import { reloadHaproxy } from '../haproxy/reload.ts';
import type { Runtime } from '../haproxy/runtime.ts';
import type { Clock } from '../sys/clock.ts';
import { bundleWith, inspect, previousOf } from './inspect.ts';
import { swapJournal } from './journal.ts';
import { careful } from './many-names.ts';
import { placesBy } from './places.ts';
import type { CertificateFiles, NodeSwapParts } from './port.ts';
import { askListener, listenersOf } from './listeners.ts';
import { nodeSwap, type NodeSwap } from './swap.ts';

/** What of agent.toml this needs. */
interface CertificatesConfig {
  readonly haproxy: {
    /** Path of haproxy.conf. */
    readonly config: string;
    /** Empty: it cannot be reloaded. */
    readonly reload: readonly string[];
  };
  /** Directory of the journals. */
  readonly state: string;
  /** Paths on this host by the name they have on every node. */
  readonly certificates: { readonly map: Readonly<Record<string, string>> };
}

export interface HostCertificatesOptions {
  readonly node: string;
  readonly config: CertificatesConfig;
  /** Of the HAProxy that has them in memory. */
  readonly socket: { readonly ask: Runtime };
  /** Certificate files of this host, with the rights they need. */
  readonly files: CertificateFiles;
  /** The command `haproxy.reload` of agent.toml, with the rights it needs. */
  readonly reload: () => Promise<unknown>;
  /** HAProxy's processes as root sees them, for where this user does not. */
  readonly rootProcesses: () => Promise<string>;
  /** VIPs that this node does not hold now: a connection there reaches another node. */
  readonly elsewhere: () => readonly string[];
  readonly clock: Clock;
}

/** The certificates of this host: on its disk, in HAProxy's memory, and as a client gets them. */
export interface HostCertificates {
  readonly swap: NodeSwap;
  readonly swapParts: NodeSwapParts;
  /** The files that HAProxy was started with, and what they say. */
  readonly configuration: () => Promise<ConfigFiles>;
  /** What is in HAProxy's memory now. */
  readonly list: () => Promise<readonly CertificateReport[]>;
  /** What disk, memory and, if asked, a TLS client say of every certificate. */
  inspect(served: boolean): Promise<readonly InspectedCertificate[]>;
  /** Throws ActFailure 'not-found' where this node has another bundle under that name. */
  bundleWith(name: string, sha256: string): Promise<string>;
  /** What the last swap of a certificate replaced; null where none is kept. */
  previousBundle(name: string): Promise<string | null>;
}

/** Everything this agent has to do with the certificates of its host. Opens nothing that has to be closed. */
export function hostCertificates(options: HostCertificatesOptions): HostCertificates {
  const { node, config, files, clock } = options;
  const { ask } = options.socket;
  const details = (path: string) => certificateDetails(ask, path);
  const configuration = hostConfigFiles({ ...options, ask, config: config.haproxy.config });
  const scan = async () => (await configuration()).scan;
  const haproxy = { ...certificates(ask), version: async () => (await readInfo(ask)).version };
  const swapParts: NodeSwapParts = careful({
    node,
    haproxy,
    files,
    journal: swapJournal(join(config.state, 'swaps')),
    listeners: () =>
      listenersOf({
        binds: async () => {
          const { binds, scan: said } = await configuration();
          return { binds, crtBase: said.crtBase };
        },
        haproxy,
        readList: async (path) => files.read(resolve((await scan()).directory ?? '/', path)),
        elsewhere: options.elsewhere,
      }),
    ask: askListener,
    reload: () => reloadHaproxy(ask, options.reload, clock),
    canReload: config.haproxy.reload.length > 0,
    wallMs: () => clock.wallMs(),
    map: config.certificates.map,
    ...placesBy({ node, scan, details }),
    algorithm: async (path) => (await details(path))?.algorithm ?? '',
  });
  const swap = nodeSwap(swapParts);

  return {
    swap,
    swapParts,
    configuration,
    list: () => swapParts.haproxy.list(),
    inspect: async (asClient) => inspect(swapParts, await swap.kept(), asClient),
    async bundleWith(name, sha256) {
      const { entries } = await swap.open();
      return bundleWith(swapParts, [...entries, ...(await swap.kept())], name, sha256);
    },
    previousBundle: async (name) => previousOf(await swap.kept(), name)?.oldPem ?? null,
  };
}
