import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import type { ControlVerbs } from '../../agent/core/verbs.ts';
import { createWorld, serveWorld, type TestServer, type World } from '../rpc/world.ts';

/** The command as it is shipped. */
export const PROXYCTL = fileURLToPath(new URL('../../bin/proxyctl.cjs', import.meta.url));
/** The same before it was made one file. */
export const MODULES = fileURLToPath(new URL('../../ctl/main.js', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Desk {
  readonly world: World;
  readonly server: TestServer;
  /** config.toml of the operator: context `web` is the server's unix socket. */
  readonly config: string;
  readonly run: (argv: readonly string[], more?: Partial<RunOptions>) => Promise<Ended>;
  readonly start: (argv: readonly string[], more?: Partial<RunOptions>) => ChildProcess;
}

interface RunOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly command: string;
}

/** An operator's desk: proxyctl as a child, a real agent-side server with scripted verbs. */
export async function desk(
  t: ExecutionContext,
  control: Partial<ControlVerbs> = {},
  config: (world: World, server: TestServer) => string | Promise<string> = overSocket,
): Promise<Desk> {
  const world = await createWorld(t);
  const server = await serveWorld(t, world, { control });
  const path = join(world.folder, 'config.toml');
  writeFileSync(path, await config(world, server));
  const start: Desk['start'] = (argv, { env = {}, command = PROXYCTL } = {}) =>
    spawn(process.execPath, [command, ...argv], {
      env: { TZ: 'UTC', HOME: world.folder, PROXYCTL_CONFIG: path, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  return {
    world,
    server,
    config: path,
    start,
    run: (argv, more = {}) => finished(start(argv, more), more.stdin ?? ''),
  };
}

const overSocket = (_world: World, { socketPath }: TestServer): string =>
  `[contexts.web]\nsockets = { haproxy01 = "${socketPath}" }\n`;

/** A context over mutual TLS as anna with this role. */
export const overTls =
  (role: string) =>
  async (world: World, { address }: TestServer): Promise<string> => {
    world.write('anna', await world.operator('anna', role));
    return `[contexts.web]
agents = { haproxy01 = "${address}" }
ca = "anna.ca.pem"
cert = "anna.pem"
key = "anna.key"
`;
  };

/** Everything a child printed, and how it ended. */
export async function finished(child: ChildProcess, stdin = ''): Promise<Ended> {
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(stdin);
  const [stdout, stderr] = await Promise.all([
    child.stdout === null ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
    child.exitCode === null && child.signalCode === null ? once(child, 'close') : null,
  ]);
  return { code: child.exitCode, stdout, stderr };
}

/** Resolves once the child has printed this on standard error. */
export async function printed(child: ChildProcess, word: string): Promise<void> {
  let all = '';
  for await (const chunk of child.stderr ?? []) {
    all += String(chunk);
    if (all.includes(word)) return;
  }
  throw new Error(`never printed ${word}: ${all}`);
}

/** A failure's lines as they were before they were broken at 80 columns. */
export const unbroken = (stderr: string): string => stderr.replaceAll(/\n {10}(?=\S)/g, ' ');

/** What differs from run to run, made equal: ids, times taken, the scratch directory, where lines break. */
export const steady = (ended: Ended, world: World): Ended => ({
  code: ended.code,
  stdout: steadyText(ended.stdout, world),
  stderr: steadyText(unbroken(ended.stderr), world),
});

/** A slow answer has a digit more, and no room on the first line: there it is put back. */
const ofSlow = (said: string): string =>
  said.replace(/^(.*)\nhaproxy01 answered, \d{4,} ms/, (text, first: string) =>
    `${first}  haproxy01 answered, 999 ms`.length <= 80
      ? `${first}  haproxy01 answered, 999 ms`
      : text,
  );

const steadyText = (said: string, world: World): string =>
  ofSlow(said)
    .replaceAll(world.folder, 'DIR')
    .replaceAll(/ +haproxy01 answered, \d+ ms/g, '  haproxy01 answered, N ms')
    .replaceAll(/^haproxy01 answered, \d+ ms/gm, 'haproxy01 answered, N ms')
    .replaceAll(/\b[0-9a-f]{12}\b/g, 'ID')
    .replaceAll(/\d{4}-\d{2}-\d{2} \d{2}:\d{2}/g, 'DATE')
    .replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:PORT');

/** The one envelope on standard output, ids replaced, ages rounded down to ten seconds. */
export function envelope(stdout: string): unknown {
  const lines = stdout.split('\n');
  if (lines.length !== 2 || lines[1] !== '') throw new Error(`not one line: ${stdout}`);
  return JSON.parse(lines[0] ?? '', (key, value: unknown) => {
    if (key === 'request_id') return /^[0-9a-f]{12}$/.test(String(value)) ? 'ID' : value;
    if (key === 'took_ms') return typeof value === 'number' && value >= 0 ? 'N' : value;
    return key.endsWith('_ms') && typeof value === 'number' && value >= 10_000
      ? Math.floor(value / 10_000) * 10_000
      : value;
  });
}
