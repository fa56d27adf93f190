import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { parseIfconfig } from '../../agent/carp/ifconfig.ts';
import { execWithin } from '../../agent/sys/exec.ts';
import type { HostConfig } from '../kernel/config.ts';
import { labMissing } from '../lab/lab.ts';
import { CHECKOUT, INTERFACE, planLab, type HostPlan, type LabPlan } from '../lab/plan.ts';
import { buildTopology, removeTopology, run } from '../lab/topology.ts';

// Two hosts that run CARP and nothing else, a client, and the switch between them.

export const PASSWORD = 'mekmitasdigoat';
export const VHID = 1;

/** Why these tests cannot run here, in one sentence; null when they can. */
export const carpHostsMissing = (): string | null =>
  labMissing() ?? (process.getuid?.() === 0 ? null : 'CARP without agents is tried as root only');

/** A serial test that needs the hosts; skipped with the reason in its name where they cannot be. */
export const testUnless =
  (missing: string | null) =>
  (title: string, run: (t: ExecutionContext) => Promise<void>): void => {
    if (missing === null) test.serial(title, run);
    else test.serial.skip(`${title} (${missing})`, run);
  };

/** A program in a PID namespace of its own: when this process dies, it dies. */
export interface Program {
  /** Resolves with the next line of its output that matches; rejects after `withinMs`. */
  line(matching: RegExp, withinMs: number): Promise<string>;
  readonly lines: readonly string[];
  /** SIGKILL to the program alone: what it started sees its end. */
  kill(): void;
  /** Ends everything it started too; resolves once nothing of it runs. */
  end(): Promise<void>;
}

/** Runs `argv` in a network namespace. */
export function start(namespace: string, argv: readonly string[]): Program {
  const script = '"$@" 2>&1 </dev/null & while read -r signal; do kill -"$signal" $!; done';
  const inner = ['ip', 'netns', 'exec', namespace, ...argv];
  const child: ChildProcess = spawn(
    'unshare',
    ['-pf', '--kill-child', 'sh', '-c', script, 'sh', ...inner],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines: string[] = [];
  const waiting = new Set<(line: string) => void>();
  if (child.stdout !== null)
    createInterface({ input: child.stdout }).on('line', (line) => {
      lines.push(line);
      for (const hear of waiting) hear(line);
    });
  child.stdin?.on('error', () => undefined);
  const closed = once(child, 'close');
  return {
    lines,
    line: (matching, withinMs) =>
      new Promise((resolve, reject) => {
        const said = (): string => `${argv.join(' ')} did not say ${matching}: ${lines.join('\n')}`;
        const timer = setTimeout(() => {
          waiting.delete(hear);
          reject(new Error(said()));
        }, withinMs);
        const hear = (line: string): void => {
          if (!matching.test(line)) return;
          clearTimeout(timer);
          waiting.delete(hear);
          resolve(line);
        };
        waiting.add(hear);
      }),
    kill: () => void child.stdin?.write('KILL\n'),
    async end() {
      child.stdin?.end();
      await closed;
    },
  };
}

/** Waits until `holds`; throws with `what` after `withinMs`. */
export async function until(
  what: () => string,
  withinMs: number,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadlineMs = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`not within ${withinMs} ms: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export const exec = execWithin(5000);

/** One host of the lab and the simulated kernel on it. */
export class CarpHost {
  readonly plan: HostPlan;
  private kernel: Program | null = null;
  private killed = false;

  constructor(plan: HostPlan) {
    this.plan = plan;
  }

  /** Starts the kernel with one vhid; resolves once its tools work. */
  async boot(
    vips: readonly string[],
    over: { readonly advskew?: number; readonly pass?: string } = {},
  ): Promise<void> {
    const { folder, carpConfig, namespace, address4, address6 } = this.plan;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const { advskew = this.plan.advskew, pass = PASSWORD } = over;
    const config: HostConfig = {
      freebsd: 14,
      preempt: false,
      holds: true,
      runtime: folder,
      interfaces: [
        {
          name: INTERFACE.freebsd,
          device: INTERFACE.linux,
          addresses: [`${address4}/24`, `${address6}/64`],
          vhids: [{ vhid: VHID, advbase: 1, advskew, pass, vips }],
        },
      ],
    };
    writeFileSync(carpConfig, JSON.stringify(config));
    const main = join(CHECKOUT, 'dist/test/kernel/main.js');
    this.killed = false;
    this.kernel = start(namespace, [process.execPath, main, carpConfig]);
    await this.kernel.line(/^ready$/, 10_000);
  }

  /** A tool of this host, as an administrator runs it. */
  tool(name: string, ...args: readonly string[]): Promise<string> {
    return exec(join(this.plan.folder, 'bin', name), args);
  }

  ifconfig(words: string): Promise<string> {
    const args = [INTERFACE.freebsd, 'vhid', String(VHID), ...words.split(' ')];
    return this.tool('ifconfig', ...args);
  }

  /** What ifconfig shows; `gone` where no kernel runs. */
  get state(): string {
    const path = join(this.plan.folder, 'text', 'ifconfig');
    if (this.kernel === null || this.killed || !existsSync(path)) return 'gone';
    return parseIfconfig(readFileSync(path, 'utf8')).carp[0]?.state ?? 'none';
  }

  becomes(state: string, withinMs: number): Promise<void> {
    return until(
      () => `${this.plan.node} becomes ${state}, it is ${this.state}`,
      withinMs,
      () => this.state === state,
    );
  }

  /** kill -9: the kernel is gone, its devices go down after it. */
  kill(): void {
    this.kernel?.kill();
    this.killed = true;
  }

  /** Takes kernel and devices away. */
  async halt(): Promise<void> {
    await this.kernel?.end();
    this.kernel = null;
    const { namespace } = this.plan;
    spawnSync('ip', ['-n', namespace, 'link', 'del', 'carp0v1'], { stdio: 'ignore' });
  }
}

export interface CarpLab {
  readonly plan: LabPlan;
  readonly hosts: readonly [CarpHost, CarpHost];
}

/**
 * Namespaces of the lab with their hosts; nothing runs in them yet. Resolves
 * once every link-local address may be used: until then no host asks for a
 * neighbour over IPv6.
 */
export async function buildHosts(kind: string): Promise<CarpLab> {
  sweep(kind);
  const name = `${kind}${process.pid}`;
  const plan = planLab({ name, freebsd: 14, preempt: false, haproxy: '', nodes: 2 });
  buildTopology(plan);
  const [first, second] = plan.hosts.map((one) => new CarpHost(one));
  if (first === undefined || second === undefined) throw new Error('a pair has two hosts');
  const places = [plan.client, ...plan.hosts.map(({ namespace }) => namespace)];
  const tentative = (): string[] =>
    places.filter((one) => run('ip', ['-n', one, '-6', 'addr', 'show', 'tentative']) !== '');
  const built = { plan, hosts: [first, second] } as const;
  const ready = until(
    () => `IPv6 is ready in ${tentative().join(', ')}`,
    5000,
    () => tentative().length === 0,
  );
  await ready.catch(async (error: unknown) => {
    await removeHosts(built);
    throw error;
  });
  return built;
}

export async function removeHosts({ plan, hosts }: CarpLab): Promise<void> {
  await Promise.all(hosts.map((host) => host.halt()));
  removeTopology(plan);
  rmSync(plan.runtime, { recursive: true, force: true });
}

/** Removes what test processes left that were killed. */
function sweep(kind: string): void {
  const names = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  for (const name of names) {
    const pid = new RegExp(`^${kind}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) spawnSync('ip', ['netns', 'del', name]);
  }
}
