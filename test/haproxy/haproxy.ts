import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { runtime, type Runtime } from '../../agent/haproxy/runtime.ts';
import { bundle, issue } from '../certs/bundles.ts';
import { eventually } from '../record.ts';

/** Looked for in the sbin directories too, which are not in everybody's PATH. */
const PROGRAM = process.env['HAPROXY'] ?? 'haproxy';

/** HAProxy in the foreground with more arguments, killed with the test's process at the latest. */
export function spawnHaproxy(args: readonly string[], program = PROGRAM): ChildProcess {
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin`;
  const child = spawn(program, ['-db', ...args], {
    env: { ...process.env, PATH: path },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // Also where the test ends without its teardown. A child that never started must not be killed
  // before it has said so: Node 20 then sends the signal to process 0, its own group.
  const kill = (): void => void (child.pid !== undefined && child.kill('SIGKILL'));
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return child;
}

/** A real HAProxy of one test, unprivileged, on loopback ports that were free. */
export interface TestHaproxy {
  readonly folder: string;
  /** Of level admin. */
  readonly socketPath: string;
  /** Of level user. */
  readonly userSocketPath: string;
  readonly ask: Runtime;
  readonly certificates: { readonly a: string; readonly b: string };
  /** Of the listener without TLS. */
  readonly port: number;
  /** Of the one with TLS. */
  readonly tlsPort: number;
  readonly child: () => ChildProcess;
  /** Starts a process, with `-sf` to take over from one that runs. */
  readonly start: (more?: readonly string[]) => Promise<ChildProcess>;
}

/** `/tmp` and not os.tmpdir(): the path of a unix socket has 107 characters at most. */
export function shortFolder(t: ExecutionContext): string {
  const folder = mkdtempSync('/tmp/pa-');
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Written extends Pick<
  TestHaproxy,
  'folder' | 'socketPath' | 'userSocketPath' | 'certificates' | 'port' | 'tlsPort'
> {
  readonly config: string;
}

interface ConfigOptions {
  readonly statsTimeout?: string;
  /** More lines of the global section. */
  readonly global?: readonly string[];
}

/** A haproxy.conf with two certificates, a backend of three servers and one without a live server. */
export async function writeConfig(
  t: ExecutionContext,
  { statsTimeout = '10s', global = [] }: ConfigOptions = {},
): Promise<Written> {
  const folder = shortFolder(t);
  const socketPath = join(folder, 'a.sock');
  const userSocketPath = join(folder, 'u.sock');
  const certificates = { a: join(folder, 'a.pem'), b: join(folder, 'b.pem') };
  for (const [name, path] of Object.entries(certificates))
    writeFileSync(path, bundle(await issue({ subject: `CN=${name}`, names: [`${name}.test`] })));
  const config = join(folder, 'haproxy.conf');
  const [tls = 0, port = 0, service = 0, closed = 0] = await freePorts(4);
  writeFileSync(
    config,
    `global
    stats socket ${socketPath} mode 600 level admin expose-fd listeners
    stats socket ${userSocketPath} mode 600 level user
    stats timeout ${statsTimeout}
    hard-stop-after 20s
${global.map((line) => `    ${line}\n`).join('')}defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
frontend web
    bind 127.0.0.1:${tls} ssl crt ${certificates.a} crt ${certificates.b}
    default_backend app
# A frontend and a backend may have one name.
frontend app
    bind 127.0.0.1:${port}
    default_backend app
frontend service
    bind 127.0.0.1:${service}
    http-request return status 200
backend app
    server s1 127.0.0.1:${service} check inter 100ms
    server s2 127.0.0.1:${service} disabled
    server s3 127.0.0.1:${service}
backend gone
    balance source
    server g1 127.0.0.1:${closed} check inter 50ms fall 1
`,
  );
  return { config, folder, socketPath, userSocketPath, certificates, port, tlsPort: tls };
}

/** Starts HAProxy with what `writeConfig` writes. */
export async function startHaproxy(
  t: ExecutionContext,
  options: ConfigOptions = {},
): Promise<TestHaproxy> {
  const { config, ...written } = await writeConfig(t, options);
  const { socketPath } = written;
  return { ...written, ...(await runHaproxy(t, { config, socketPath })) };
}

/** A HAProxy of the 3.x line for tests that need one: HAPROXY_3=/path; empty: none. */
export const HAPROXY_3 = process.env['HAPROXY_3'] ?? '';

/** Runs HAProxy with a configuration file that names `socketPath`; it ends with the test. */
export async function runHaproxy(
  t: ExecutionContext,
  { config, socketPath, program = PROGRAM, args = [] }: RunOptions,
): Promise<Pick<TestHaproxy, 'ask' | 'child' | 'start'>> {
  const ask = runtime(socketPath, { deadlineMs: 5000 });
  const running = new Set<ChildProcess>();
  let newest: ChildProcess;

  async function start(more: readonly string[] = []): Promise<ChildProcess> {
    const child = spawnHaproxy(['-f', config, ...args, ...more], program);
    running.add(child);
    child.once('exit', () => running.delete(child));
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`haproxy ended: ${said}`);
      const info = await ask('show info').catch(() => '');
      return info.includes(`\nPid: ${child.pid}\n`);
    });
    newest = child;
    return child;
  }

  t.teardown(async () => {
    for (const child of running) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
  newest = await start();
  return { ask, child: () => newest, start };
}

interface RunOptions {
  readonly config: string;
  readonly socketPath: string;
  readonly program?: string;
  /** More of its command line, as further files. */
  readonly args?: readonly string[];
}

/** A client in the middle of its request, for which a stopping process waits. */
export async function holdOpen(
  t: ExecutionContext,
  { port }: Pick<TestHaproxy, 'port'>,
): Promise<Socket> {
  const client = connect(port, '127.0.0.1');
  client.on('error', () => undefined);
  t.teardown(() => client.destroy());
  client.write('GET / HTTP/1.1\r\n');
  await once(client, 'connect');
  return client;
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  const ports: number[] = [];
  for (const server of servers) {
    if (!server.listening) await once(server, 'listening');
    const bound = server.address();
    if (typeof bound === 'object' && bound !== null) ports.push(bound.port);
  }
  for (const server of servers) {
    server.close();
    await once(server, 'close');
  }
  return ports;
}

/** Stops a process; resolves once every thread of it stands still. */
export async function freeze(child: ChildProcess): Promise<void> {
  child.kill('SIGSTOP');
  const tasks = `/proc/${child.pid}/task`;
  await eventually(() => {
    const states = readdirSync(tasks).map((id) => readFileSync(`${tasks}/${id}/stat`, 'utf8'));
    return states.every((stat) => / T \d+ /.test(stat));
  });
}
