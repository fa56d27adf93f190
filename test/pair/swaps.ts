import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { sha1Of } from '../lab/certificates.ts';
import { served } from '../lab/client.ts';
import { inside } from '../lab/lab.ts';
import { CHECKOUT, type Site } from '../lab/plan.ts';
import type { LabNode, LabReport } from '../lab/report.ts';
import { runtime } from './scene.ts';

/** Puts a PEM text where proxyctl can read it. */
export function filed(lab: LabReport, pem: string, name = 'pushed.pem'): string {
  const path = join(lab.runtime, name);
  writeFileSync(path, pem, { mode: 0o600 });
  return path;
}

/** The certificate of a node that tests swap unless they say otherwise. */
const siteOf = ({ cert_path: path }: LabNode): Site => ({ path, servername: 'www.example.net' });

/** All certificates of a node's listener. */
export const sitesOf = (node: LabNode): readonly Site[] => [siteOf(node), ...(node.more ?? [])];

/** What every place says of a certificate now, by node: the client, HAProxy's memory, the disk. */
export const everywhere = (
  lab: LabReport,
  site: (node: LabNode) => Site = siteOf,
): Promise<{ served: string; memory: string; disk: string }[]> =>
  Promise.all(
    lab.nodes.map(async (node) => {
      const { path, servername } = site(node);
      const shown = await runtime(node, `show ssl cert ${path}`);
      return {
        served: await served(lab, node.address4, servername),
        memory: /SHA1 FingerPrint: (\S+)/.exec(shown)?.[1]?.toLowerCase() ?? '',
        disk: sha1Of(readFileSync(path, 'utf8')),
      };
    }),
  );

/** Nothing of a swap is left: no open transaction, no open journal, no file beside the certificate. */
export async function leftovers(lab: LabReport): Promise<string[]> {
  const found = await Promise.all(
    lab.nodes.map(async (node) => {
      const list = await runtime(node, 'show ssl cert');
      const folder = join(node.cert_path, '..');
      const sites = sitesOf(node).map(({ path }) => basename(path));
      const beside = readdirSync(folder).filter(
        (name) => !sites.includes(name) && sites.some((site) => name.includes(site)),
      );
      // What a rollback brings back is kept on purpose; everything else there is a swap left open.
      const journals = existing(join(node.state_dir, 'swaps')).filter(
        (name) => !/^previous-[0-9a-z-]+\.json$/.test(name),
      );
      const open = list.split('\n').filter((line) => line.startsWith('*'));
      return [...open, ...beside, ...journals].map((what) => `${node.name}: ${what}`);
    }),
  );
  return found.flat();
}

function existing(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Handshakes in a row with one certificate at one address; Unix ms. */
export interface ServedRun {
  readonly host: string;
  readonly sha1: string;
  readonly first_ms: number;
  readonly last_ms: number;
  readonly count: number;
}

/** A client that handshakes with these addresses as fast as it can, and keeps what it was served. */
export async function watchServed(
  lab: LabReport,
  hosts: readonly string[],
): Promise<{
  end(): Promise<{ readonly failed: readonly string[]; readonly runs: readonly ServedRun[] }>;
}> {
  const script = join(CHECKOUT, 'dist/test/lab/watch-served.js');
  const argv = inside(lab, 'client', [process.execPath, script, 'www.example.net', ...hosts]);
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(child.stderr, 'data');
  return {
    async end() {
      const closed = once(child, 'close');
      child.kill('SIGTERM');
      await closed;
      return JSON.parse(text) as Awaited<
        ReturnType<Awaited<ReturnType<typeof watchServed>>['end']>
      >;
    },
  };
}
