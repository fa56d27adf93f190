import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writeBaseTools } from '../kernel/base-tools.ts';
import { installAgent } from './agent-program.ts';
import { ownWords } from './haproxy-config.ts';
import { CHECKOUT, clockFile, coresFile } from './plan.ts';
import type { AgentProgram, HostPlan, LabPlan } from './plan.ts';

/** A compiled file of this checkout. */
export const dist = (path: string): string => join(CHECKOUT, 'dist', path);

/** The core files the agent may leave: what rc.d/proxyagent says, unless a fault says otherwise. */
function coreLimit(host: HostPlan): string {
  if (existsSync(coresFile(host))) return 'unlimited';
  const script = readFileSync(join(CHECKOUT, 'rc.d/proxyagent'), 'utf8');
  // Class daemon of login.conf(5) has no limit.
  return /^proxyagent_limits="-c (\d+) /m.exec(script)?.[1] ?? 'unlimited';
}

/** `ip netns exec` gives a mount namespace of its own: only this agent and its helper see it. */
const AS_ON_FREEBSD = `ulimit -c "$0"
[ "$2" = all ] || ulimit -n "$2" || exit
for tool in timeout head; do mount --bind "$1/$tool" "/usr/bin/$tool" || exit; done
shift 2
exec "$@"`;

/** Its agent.toml; an older agent refuses tools that it does not know. */
function configFor({ agentConfig }: HostPlan, program: AgentProgram | undefined): string {
  const text = readFileSync(agentConfig, 'utf8').replace(/(,|\n) ?(?:ngctl|ndp) = "[^"]*"/g, '');
  if (program !== undefined && 'older' in program) return text;
  return text.replace(/((,|\n) ?)pfctl = "(.*)\/pfctl"/, '$&$1ngctl = "$3/ngctl"$1ndp = "$3/ndp"');
}

/** The programs of a lab's hosts: started in their namespaces, restarted and signalled by name. */
/** The lab has process ids of its own, and /proc is to show them: HAProxy tells its pid as it sees it. */
const OWN_PROC = 'mount -t proc proc /proc 2>/dev/null; exec "$@"';
/** Root sees all of it, and whom the agent becomes only what is his own. */
const HIDDEN_PROC = 'mount -t proc -o hidepid=2 proc /proc || exit; exec "$@"';

export function programs(plan: LabPlan) {
  /** What runs, by NODE/PROGRAM. */
  const running = new Map<string, ChildProcess>();
  /** Agents that are another program than the lab's own, by node. */
  const agents = new Map(Object.entries(plan.agents ?? {}));

  function start(
    key: string,
    namespace: string,
    argv: readonly string[],
    log: string,
    env: Readonly<Record<string, string>> = {},
  ): ChildProcess {
    const file = openSync(log, 'a');
    const isHidden = plan.hidden === true && key.endsWith('/agent');
    const proc = isHidden ? HIDDEN_PROC : OWN_PROC;
    const child = spawn('ip', ['netns', 'exec', namespace, 'sh', '-c', proc, 'sh', ...argv], {
      // Where a core file would lie.
      cwd: dirname(log),
      stdio: ['ignore', argv.includes(dist('test/kernel/main.js')) ? 'pipe' : file, file],
      env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', ...env },
    });
    closeSync(file);
    running.set(key, child);
    child.once('exit', () => {
      if (running.get(key) === child) running.delete(key);
    });
    return child;
  }

  async function startCarp(host: HostPlan): Promise<void> {
    const log = join(host.folder, 'carp.log');
    const argv = [process.execPath, dist('test/kernel/main.js'), host.carpConfig];
    const child = start(`${host.node}/carp`, host.namespace, argv, log);
    if (child.stdout === null) return;
    const ended = once(child, 'exit').then(() => {
      throw new Error(`the CARP kernel of ${host.node} ended: ${readFileSync(log, 'utf8').trim()}`);
    });
    await Promise.race([once(child.stdout, 'data'), ended]);
    ended.catch(() => undefined);
  }

  function startHaproxy(host: HostPlan, more: readonly string[] = []): void {
    const argv = [plan.haproxy, '-db', '-f', host.haproxyConfig, ...more];
    const [key, log] = [`${host.node}/haproxy`, join(host.folder, 'haproxy.out')];
    const old = running.get(key);
    const env = plan.deploy === undefined ? {} : ownWords(host);
    // One that could not start leaves the old one where it was.
    start(key, host.namespace, argv, log, env).once('exit', () => {
      if (old?.exitCode === null && old.signalCode === null && !running.has(key))
        running.set(key, old);
    });
  }

  function startAgent(host: HostPlan): void {
    const agent = installAgent(
      host,
      agents.get(host.node),
      plan.unpacked,
      plan.daemonMs !== undefined,
    );
    writeFileSync(host.agentConfig, configFor(host, agents.get(host.node)));
    const node = [process.execPath, ...agent];
    const base = join(host.folder, 'base');
    writeBaseTools(base);
    const most = String(plan.descriptors ?? 'all');
    const argv = ['sh', '-c', AS_ON_FREEBSD, coreLimit(host), base, most, ...node];
    const log = join(host.folder, 'agent.out');
    const env = plan.unpacked === null ? own(host) : {};
    const child = start(`${host.node}/agent`, host.namespace, argv, log, env);
    const { daemonMs } = plan;
    if (daemonMs !== undefined)
      child.once('exit', () => setTimeout(() => void ensure(host, 'agent'), daemonMs));
  }

  /** What the lab puts into an agent that runs from the checkout: its clock, and who watches its loop. */
  const own = (host: HostPlan): Readonly<Record<string, string>> => ({
    NODE_OPTIONS: ['lab/clock', 'lab/lag', ...(plan.bug === undefined ? [] : ['chaos/plant'])]
      .map((module) => `--import=${dist(`test/${module}.js`)}`)
      .join(' '),
    ...(plan.bug === undefined ? {} : { LAB_BUG: plan.bug }),
    ...(plan.bulk === undefined ? {} : { LAB_LAG: join(host.folder, 'lag') }),
    LAB_CLOCK: clockFile(host),
  });

  /** Ends the host's agent as service(8) does, and starts another program over what it has stored. */
  async function replaceAgent(host: HostPlan, program: AgentProgram | null): Promise<void> {
    const child = running.get(`${host.node}/agent`);
    if (child !== undefined) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    if (program === null) agents.delete(host.node);
    else agents.set(host.node, program);
    startAgent(host);
  }

  /** Starts what should run on the host and does not. */
  async function ensure(host: HostPlan, program: string): Promise<void> {
    if (running.has(`${host.node}/${program}`)) return;
    if (program === 'carp') await startCarp(host);
    else if (program === 'haproxy') startHaproxy(host);
    else startAgent(host);
  }

  /** Sends a signal to what runs under that key, if it runs; resolves once it is dead if it was to die. */
  async function signalled(key: string, signal: NodeJS.Signals): Promise<void> {
    const child = running.get(key);
    if (child === undefined) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    if (signal === 'SIGKILL') await ended;
  }

  const starting = { start, startCarp, startHaproxy, startAgent, replaceAgent, ensure };
  return { running, agents, ...starting, signalled };
}

/** Pids as the calling shell sees them, by NODE/PROGRAM: /proc is the outer one's. */
export function outerPids(running: ReadonlyMap<string, ChildProcess>): ReadonlyMap<string, number> {
  const inner = new Map(
    [...running].flatMap(([key, { pid }]) => (pid === undefined ? [] : [[pid, key] as const])),
  );
  const found = new Map<string, number>([['supervisor', Number(readlinkSync('/proc/self'))]]);
  const namespace = readlinkSync('/proc/self/ns/pid');
  for (const entry of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [, own = ''] =
        /^NSpid:\s+\d+\s+(\d+)$/m.exec(readFileSync(`/proc/${entry}/status`, 'utf8')) ?? [];
      const key = inner.get(Number(own));
      if (key !== undefined && readlinkSync(`/proc/${entry}/ns/pid`) === namespace)
        found.set(key, Number(entry));
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}
