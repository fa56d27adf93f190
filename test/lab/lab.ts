import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { connect, Socket } from 'node:net';
import { join } from 'node:path';
import { checkAgents } from './agent-program.ts';
import { CHECKOUT, planLab, runtimeOf, type AgentProgram, type LabOptions } from './plan.ts';
import { unpackPackage } from './packaged.ts';
import type { LabReport } from './report.ts';
import { buildTopology, mountState, removeTopology } from './topology.ts';

const TOOLS = ['haproxy', 'ip', 'nft', 'perl', 'unshare', 'nsenter'] as const;
const succeeds = (command: string, args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore', env: withSbin() }).status === 0;

/**
 * The environment with the system's directories in PATH, where Debian puts ip
 * and haproxy, and without npm's: a package there has a program called nft.
 */
const withSbin = (): NodeJS.ProcessEnv => {
  const folders = (process.env['PATH'] ?? '').split(':');
  const own = folders.filter((folder) => !folder.endsWith('node_modules/.bin'));
  return { ...process.env, PATH: [...own, '/usr/sbin', '/sbin'].join(':') };
};
process.env['PATH'] = withSbin()['PATH'];

const asRoot = (): boolean => process.getuid?.() === 0 && succeeds('unshare', ['-n', 'true']);

/** Which programs of the lab are not installed, in one sentence; null when all are. */
export function toolsMissing(): string | null {
  if (process.platform !== 'linux') return null;
  const missing = TOOLS.filter((tool) => !succeeds('sh', ['-c', `command -v ${tool}`]));
  return missing.length > 0 ? `the lab needs ${missing.join(', ')}, which is not installed` : null;
}

/** Why no lab can run here, in one sentence; null when it can. */
export function labMissing(): string | null {
  if (process.platform !== 'linux') return 'the lab needs Linux';
  const missing = toolsMissing();
  if (missing !== null) return missing;
  if (asRoot() || succeeds('unshare', ['-Urnmpf', 'true'])) return null;
  return 'the lab needs root, or user namespaces (kernel.unprivileged_userns_clone=1, or a container that allows them)';
}

/** The path of the haproxy in PATH; empty where there is none. */
export const installedHaproxy = (): string =>
  spawnSync('sh', ['-c', 'command -v haproxy'], { encoding: 'utf8' }).stdout.trim();

/**
 * Brings a lab up and resolves once exactly one host is MASTER. Rejects with what
 * went wrong, and leaves nothing. A lab that is `tied` ends with this process,
 * however this process ends, and removes itself.
 */
export async function labUp(options: LabOptions, tied = false): Promise<LabReport> {
  const missing = labMissing();
  if (missing !== null) throw new Error(missing);
  const plan = planLab(options);
  const { runtime } = plan;
  checkAgents(
    options.agents ?? {},
    plan.hosts.map(({ node }) => node),
  );
  if (isAlive(options.name))
    throw new Error(
      `lab ${options.name} is up already; to end it: npm run -s lab -- down --name ${options.name}`,
    );
  await labDown(options.name);
  mkdirSync(join(runtime, 'bin'), { recursive: true, mode: 0o700 });
  const wrapper = join(runtime, 'bin', 'proxyctl');
  writeFileSync(wrapper, `#!/bin/sh\nexec ${process.execPath} ${plan.proxyctl} "$@"\n`);
  chmodSync(wrapper, 0o755);
  if (plan.unpacked !== null) unpackPackage(plan.unpacked);
  const root = asRoot();
  writeFileSync(join(runtime, 'plan.json'), JSON.stringify({ ...options, root }));
  if (root) {
    buildTopology(plan);
    mountState(plan);
  }
  const flags = root ? ['-pf'] : ['-Urnmpf'];
  const log = openSync(join(runtime, 'lab.log'), 'a');
  const supervisor = join(CHECKOUT, 'dist/test/lab/supervisor.js');
  const argv = [...flags, '--kill-child', process.execPath, supervisor];
  const order = JSON.stringify({ ...options, root, tied, runtime });
  const child = spawn('unshare', [...argv, order], {
    stdio: [tied ? 'pipe' : 'ignore', log, log],
    detached: true,
  });
  if (child.stdin instanceof Socket) child.stdin.unref();
  if (child.pid !== undefined) writeFileSync(join(runtime, 'pid'), String(child.pid));
  child.unref();
  let ended = false;
  child.once('exit', () => (ended = true));
  await until(() => ended || ['up', 'failed'].some((name) => existsSync(join(runtime, name))));
  if (existsSync(join(runtime, 'up')))
    return JSON.parse(readFileSync(join(runtime, 'up'), 'utf8')) as LabReport;
  const reason = existsSync(join(runtime, 'failed'))
    ? readFileSync(join(runtime, 'failed'), 'utf8')
    : readFileSync(join(runtime, 'lab.log'), 'utf8').trim();
  await labDown(options.name);
  throw new Error(`the lab did not come up: ${reason}`);
}

/** Ends a lab and removes everything of it; also what a crash left. Says whether there was one. */
export async function labDown(name: string): Promise<boolean> {
  const runtime = runtimeOf(name);
  if (!existsSync(runtime)) return false;
  const pid = pidOf(name);
  if (pid !== null && isRunning(pid)) {
    process.kill(pid, 'SIGKILL');
    await until(() => !isRunning(pid));
  }
  const { root = true, ...options } = optionsOf(name);
  if (root && process.getuid?.() === 0) removeTopology(planLab(options));
  rmSync(runtime, { recursive: true, force: true });
  return true;
}

/** Asks the lab's supervisor; rejects with its sentence. */
export function labOrder(
  name: string,
  request: Readonly<Record<string, string>>,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(join(runtimeOf(name), 'lab.sock'));
    let text = '';
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${JSON.stringify(request)}\n`));
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', () => reject(new Error(`no lab ${name} is up`)));
    socket.on('end', () => {
      const answer = JSON.parse(text) as { ok: boolean; reply?: unknown; error?: string };
      if (answer.ok) resolve(answer.reply);
      else reject(new Error((answer.error ?? '').replace(/^Error: /, '')));
    });
  });
}

/** Puts another program in place of a node's agent, over what that has stored; null: the lab's own. */
export async function labAgent(
  lab: LabReport,
  node: string,
  program: AgentProgram | null,
): Promise<void> {
  const nodes = lab.nodes.map(({ name }) => name);
  checkAgents(program === null ? {} : { [node]: program }, nodes);
  await labOrder(lab.name, { op: 'agent', node, program: JSON.stringify(program) });
}

export const labReport = async (name: string): Promise<LabReport> =>
  (await labOrder(name, { op: 'describe' })) as LabReport;

/** The command line that runs `argv` in a place of the lab: a node, `client` or `backends`. Throws for no such place. */
export function inside(lab: LabReport, place: string, argv: readonly string[]): readonly string[] {
  const namespace = lab.namespaces[place];
  if (namespace === undefined)
    throw new Error(`no ${place} in the lab; there are ${Object.keys(lab.namespaces).join(', ')}`);
  const there = ['ip', 'netns', 'exec', namespace, ...argv];
  if (lab.root) return there;
  const holder = String(lab.supervisor_pid);
  return ['nsenter', '-t', holder, '-U', '--preserve-credentials', '-m', '--', ...there];
}

/** Variables under which proxyctl works: over unix sockets from anywhere, over TLS from inside. */
export function labEnvironment(lab: LabReport, place: string | null): Record<string, string> {
  const node = lab.nodes.find(({ name }) => name === place);
  const own = [...(node === undefined ? [] : [node.tools]), join(lab.runtime, 'bin')];
  return {
    PROXYCTL_CONFIG: lab.proxyctl_config,
    PROXYCTL_CONTEXT: place === 'client' ? 'tls' : 'lab',
    PATH: `${own.join(':')}:${process.env['PATH'] ?? ''}`,
  };
}

/** The command line of a probe from the client: 200 new connections a second to a VIP. */
export const probeCommand = (
  lab: LabReport,
  seconds: number,
  kind: 'plain' | 'tls' = 'plain',
  family: 4 | 6 = 4,
  vip = family === 4 ? lab.vip4 : lab.vip6,
): readonly string[] =>
  inside(lab, 'client', [
    process.execPath,
    join(CHECKOUT, 'dist/test/lab/probe.js'),
    vip,
    String(seconds),
    kind,
  ]);

function optionsOf(name: string): LabOptions & { readonly root?: boolean } {
  try {
    return JSON.parse(readFileSync(join(runtimeOf(name), 'plan.json'), 'utf8')) as LabOptions;
  } catch {
    return { name, freebsd: 14, preempt: false, haproxy: 'haproxy', nodes: 2 };
  }
}

function pidOf(name: string): number | null {
  try {
    return Number(readFileSync(join(runtimeOf(name), 'pid'), 'utf8'));
  } catch {
    return null;
  }
}

const isAlive = (name: string): boolean => {
  const pid = pidOf(name);
  return pid !== null && isRunning(pid) && existsSync(join(runtimeOf(name), 'up'));
};

/** Running, and our unshare; a process that ended and was not reaped yet is none. */
function isRunning(pid: number): boolean {
  try {
    const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
    return name === 'unshare' && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}
