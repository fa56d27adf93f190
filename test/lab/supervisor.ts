import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
} from 'node:fs';
import { readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { HostConfig } from '../kernel/daemon.ts';
import { agentConfig, clientConfig } from './agent-config.ts';
import { writeCertificates } from './certificates.ts';
import { faultOf } from './faults.ts';
import { haproxyConfig } from './haproxy-config.ts';
import { CHECKOUT, INTERFACE, planLab, VHID, type HostPlan, type LabOptions } from './plan.ts';
import { describeLab } from './report.ts';
import { buildTopology, run } from './topology.ts';

// One lab from up to down, as the first process of its own PID namespace: when it
// ends, everything ends. node supervisor.js OPTIONS.json
const options = JSON.parse(process.argv[2] ?? '{}') as LabOptions & { readonly root: boolean };
const plan = planLab(options);
const { runtime } = plan;

/** What runs, by NODE/PROGRAM. */
const running = new Map<string, ChildProcess>();
const dist = (path: string): string => join(CHECKOUT, 'dist', path);

function start(key: string, namespace: string, argv: readonly string[], log: string): ChildProcess {
  const file = openSync(log, 'a');
  const child = spawn('ip', ['netns', 'exec', namespace, ...argv], {
    stdio: ['ignore', argv.includes(dist('test/kernel/main.js')) ? 'pipe' : file, file],
    env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
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
  start(`${host.node}/haproxy`, host.namespace, argv, join(host.folder, 'haproxy.out'));
}

function startAgent(host: HostPlan): void {
  const argv = [process.execPath, dist('agent/main.js'), '--config', host.agentConfig];
  start(`${host.node}/agent`, host.namespace, argv, join(host.folder, 'agent.out'));
}

/** Starts what should run on the host and does not. */
async function ensure(host: HostPlan, program: string): Promise<void> {
  if (running.has(`${host.node}/${program}`)) return;
  if (program === 'carp') await startCarp(host);
  else if (program === 'haproxy') startHaproxy(host);
  else startAgent(host);
}

function writeFiles(host: HostPlan): void {
  for (const folder of [host.folder, join(host.folder, 'agent'), host.stateDir])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  const carp: HostConfig = {
    freebsd: plan.freebsd,
    preempt: plan.preempt,
    runtime: host.folder,
    interfaces: [
      {
        name: INTERFACE.freebsd,
        device: INTERFACE.linux,
        addresses: [`${host.address4}/24`, `${host.address6}/64`],
        vhids: [
          {
            vhid: VHID,
            advbase: 1,
            advskew: host.advskew,
            pass: 'mekmitasdigoat',
            vips: [plan.vip4, plan.vip6],
          },
        ],
      },
    ],
  };
  writeFileSync(host.carpConfig, JSON.stringify(carp));
  writeFileSync(host.haproxyConfig, haproxyConfig(host));
  writeFileSync(host.agentConfig, agentConfig(plan, host));
}

/** Orders of the CLI and of tests, one JSON line each: {op, node, ...}. */
async function order(request: Readonly<Record<string, string>>): Promise<unknown> {
  const host = plan.hosts.find(({ node }) => node === request['node']);
  const program = request['program'] ?? '';
  switch (request['op'] ?? '') {
    case 'describe':
      return describe();
    case 'kill': {
      const child = host === undefined ? undefined : running.get(`${host.node}/${program}`);
      if (child === undefined) throw new Error(`${program} does not run on ${request['node']}`);
      const signal = (request['signal'] ?? 'SIGKILL') as NodeJS.Signals;
      const ended = once(child, 'exit');
      child.kill(signal);
      if (signal === 'SIGKILL' || signal === 'SIGTERM') await ended;
      return {};
    }
    case 'start':
      if (host === undefined) throw new Error(`no host ${request['node']}`);
      await ensure(host, program);
      return {};
    case 'reload': {
      const old = host === undefined ? undefined : running.get(`${host.node}/haproxy`);
      if (host === undefined || old?.pid === undefined) throw new Error('no haproxy to reload');
      startHaproxy(host, ['-sf', String(old.pid)]);
      return {};
    }
    case 'fault': {
      const fault = faultOf(request['fault'] ?? '');
      const on = request['state'] === 'on';
      const hosts = plan.hosts.filter(
        ({ node }) => request['node'] === undefined || node === request['node'],
      );
      if (hosts.length === 0) throw new Error(`no host ${request['node']}`);
      for (const one of hosts) {
        await fault({
          plan,
          host: one,
          on,
          ensure: (what) => ensure(one, what),
          signal: (what, signal) => void running.get(`${one.node}/${what}`)?.kill(signal),
        });
      }
      return {};
    }
    default:
      throw new Error(`no order ${String(request['op'])}`);
  }
}

/** Pids as the calling shell sees them: /proc is the outer one's. */
const describe = () => describeLab(plan, options.root, outerPids());

function outerPids(): ReadonlyMap<string, number> {
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

/** Where the VIP is, from the texts that ifconfig shows. */
const masters = (): string[] =>
  plan.hosts
    .filter(({ folder }) => {
      try {
        return readFileSync(join(folder, 'text', 'ifconfig'), 'utf8').includes('carp: MASTER');
      } catch {
        return false;
      }
    })
    .map(({ node }) => node);

async function up(): Promise<void> {
  if (!options.root) {
    run('mount', ['-t', 'tmpfs', 'tmpfs', '/run']);
    mkdirSync('/run/netns');
    buildTopology(plan);
  }
  await writeCertificates(plan);
  for (const host of plan.hosts) writeFiles(host);
  writeFileSync(join(runtime, 'proxyctl.toml'), clientConfig(plan), { mode: 0o600 });
  const backends = [process.execPath, dist('test/lab/backends.js'), `${runtime}/backends.pem`];
  start(
    'backends',
    plan.backends,
    [...backends, `${runtime}/backends.key`],
    `${runtime}/backends.log`,
  );
  await Promise.all(plan.hosts.map((host) => startCarp(host)));
  for (const host of plan.hosts) startHaproxy(host);
  for (const host of plan.hosts) startAgent(host);
  // Three seconds by the rules; an administrator in a hurry would say this too.
  const [first] = plan.hosts;
  if (first !== undefined)
    run(join(first.folder, 'bin', 'ifconfig'), [
      INTERFACE.freebsd,
      'vhid',
      String(VHID),
      'state',
      'master',
    ]);
  const listening = createServer((client) => {
    let text = '';
    client.setEncoding('utf8');
    client.on('error', () => undefined);
    client.on('data', (chunk: string) => {
      text += chunk;
      if (!text.endsWith('\n')) return;
      order(JSON.parse(text) as Record<string, string>).then(
        (reply) => client.end(`${JSON.stringify({ ok: true, reply })}\n`),
        (error: unknown) => client.end(`${JSON.stringify({ ok: false, error: String(error) })}\n`),
      );
    });
  });
  rmSync(join(runtime, 'lab.sock'), { force: true });
  listening.listen(join(runtime, 'lab.sock'));
  await once(listening, 'listening');
  await settled();
  writeFileSync(join(runtime, 'up.new'), `${JSON.stringify(describe())}\n`);
  renameSync(join(runtime, 'up.new'), join(runtime, 'up'));
}

/** Until exactly one host is MASTER, every HAProxy and every agent answers. */
async function settled(): Promise<void> {
  const deadlineMs = Date.now() + 30_000;
  for (;;) {
    const missing = plan.hosts.flatMap(({ statsSocket, agentSocket, node }) =>
      [statsSocket, agentSocket]
        .filter((path) => !isSocket(path))
        .map((path) => `${node}: ${path}`),
    );
    const now = masters();
    if (now.length === 1 && missing.length === 0) return;
    const gone = plan.hosts.some(({ node }) =>
      ['agent', 'haproxy', 'carp'].some((program) => !running.has(`${node}/${program}`)),
    );
    if (gone || Date.now() > deadlineMs)
      throw new Error(
        `not up: MASTER on ${now.join(', ') || 'none'}; ${missing.join(', ')}\n${said()}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** What the programs of the hosts printed, for an error. */
const said = (): string =>
  plan.hosts
    .flatMap(({ folder }) =>
      ['agent.out', 'haproxy.out', 'carp.log'].map((file) => join(folder, file)),
    )
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8').trim())
    .filter((text) => text !== '')
    .join('\n');

const isSocket = (path: string): boolean =>
  lstatSync(path, { throwIfNoEntry: false })?.isSocket() ?? false;

process.on('SIGTERM', () => process.exit(0));
up().catch((error: unknown) => {
  writeFileSync(join(runtime, 'failed'), error instanceof Error ? error.message : String(error));
  process.exit(1);
});
