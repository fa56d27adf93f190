import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { HostConfig } from '../kernel/config.ts';
import { groupOf, openTo } from './accounts.ts';
import { agentConfig, clientConfig } from './agent-config.ts';
import { writeCertificates } from './certificates.ts';
import { faultOf } from './faults.ts';
import { agentFromSetup, haproxyFromSetup, runSetup, vhidsFromSetup } from './from-setup.ts';
import { commonConfig, haproxyConfig } from './haproxy-config.ts';
import { endAll } from './host-processes.ts';

import { INTERFACE, planLab, WITNESS } from './plan.ts';
import type { AgentProgram, HostPlan, LabOptions } from './plan.ts';
import { dist, outerPids, programs } from './programs.ts';
import { describeLab } from './report.ts';
import { buildTopology, removeTopology, run } from './topology.ts';

// One lab from up to down, as the first process of its own PID namespace: when it
// ends, everything ends. node supervisor.js OPTIONS.json
const options = JSON.parse(process.argv[2] ?? '{}') as LabOptions & {
  readonly root: boolean;
  readonly tied: boolean;
  readonly runtime: string;
};
const plan = planLab(options, options.runtime);
const { runtime } = plan;

const { running, agents, start, startCarp, startHaproxy, startAgent, ...later } = programs(plan);
const { replaceAgent, ensure, signalled } = later;

const vhidsOf = ({ advskew }: HostPlan) =>
  plan.vips.map(({ vhid, vip4, vip6 }) => ({
    vhid,
    advbase: 1,
    advskew,
    pass: 'mekmitasdigoat',
    vips: [vip4, vip6],
  }));

/** The link-local address of a host as ifconfig has it, with its length. */
function linkLocalOf({ namespace, node }: HostPlan): string {
  const { linux, freebsd } = INTERFACE;
  const text = run('ip', ['-n', namespace, '-o', '-6', 'addr', 'show', linux, 'scope', 'link']);
  const [, address] = /inet6 (\S+)\/64/.exec(text) ?? [];
  if (address === undefined) throw new Error(`${node} has no link-local address`);
  return `${address}%${freebsd}/64`;
}

function ownConfig(host: HostPlan): string {
  const text = haproxyConfig(host, groupOf(plan), plan.bulk);
  return plan.deploy === undefined ? text : commonConfig(text, host);
}

function writeFiles(host: HostPlan): void {
  for (const folder of [host.folder, join(host.folder, 'agent'), host.stateDir])
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  const carp: HostConfig = {
    freebsd: plan.freebsd,
    preempt: plan.preempt,
    ...(plan.deviation === undefined ? {} : { deviation: plan.deviation }),
    // The witnesses, for an agent.toml that names none.
    gateways: WITNESS.map((address) => address.split('/')[0] ?? ''),
    runtime: host.folder,
    interfaces: [
      {
        name: INTERFACE.freebsd,
        device: INTERFACE.linux,
        addresses: [linkLocalOf(host), `${host.address4}/24`, `${host.address6}/64`],
        vhids: plan.setup === true ? vhidsFromSetup(host) : vhidsOf(host),
      },
    ],
  };
  writeFileSync(host.carpConfig, JSON.stringify(carp));
  const bySetup = plan.setup === true;
  writeFileSync(host.haproxyConfig, bySetup ? haproxyFromSetup(host) : ownConfig(host));
  writeFileSync(host.agentConfig, bySetup ? agentFromSetup(plan, host) : agentConfig(plan, host));
}

/** Orders of the CLI and of tests, one JSON line each: {op, node, ...}. */
async function order(request: Readonly<Record<string, string>>): Promise<unknown> {
  const host = plan.hosts.find(({ node }) => node === request['node']);
  switch (request['op'] ?? '') {
    case 'describe':
      return describe();
    case 'reload': {
      const old = host === undefined ? undefined : running.get(`${host.node}/haproxy`);
      if (host === undefined || old?.pid === undefined) throw new Error('no haproxy to reload');
      startHaproxy(host, ['-sf', String(old.pid)]);
      return {};
    }
    case 'config':
      // What is read at the next start of each, from the files that the host has now.
      if (host !== undefined) writeFiles(host);
      return {};
    case 'agent': {
      if (host === undefined) throw new Error(`no host ${request['node']}`);
      await replaceAgent(host, JSON.parse(request['program'] ?? 'null') as AgentProgram | null);
      return {};
    }
    case 'fault':
      return fault(request);
    default:
      throw new Error(`no order ${String(request['op'])}`);
  }
}

/** Switches a fault on or off: on the host named, on every host, or in the lab. */
async function fault(request: Readonly<Record<string, string>>): Promise<unknown> {
  const { apply, everywhere, value } = faultOf(request['fault'] ?? '');
  const { node, value: given } = request;
  if (given !== undefined && value === undefined)
    throw new Error(`${request['fault']} takes no --value`);
  const hosts = plan.hosts.filter((host) => node === undefined || host.node === node);
  if (hosts.length === 0)
    throw new Error(`no host ${node}; there are ${plan.hosts.map((host) => host.node).join(', ')}`);
  for (const host of everywhere === true ? hosts.slice(0, 1) : hosts) {
    await apply({
      plan,
      host,
      on: request['state'] === 'on',
      root: options.root,
      value: given === undefined ? null : Number(given),
      ensure: (program) => ensure(host, program),
      signal: (program, signal) => signalled(`${host.node}/${program}`, signal),
      endAll: () => endAll(running.get(`${host.node}/carp`)?.pid ?? 0),
      helper: (name, argv) => {
        const log = join(host.folder, `${name}.log`);
        start(`${host.node}/${name}`, host.namespace, [process.execPath, ...argv], log);
      },
    });
  }
  return {};
}

const describe = () => describeLab(plan, options.root, outerPids(running), agents);

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
  if (plan.setup === true) runSetup(plan);
  for (const host of plan.hosts) writeFiles(host);
  openTo(plan);
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
  for (const { vhid } of plan.vips) {
    const args = [INTERFACE.freebsd, 'vhid', String(vhid), 'state', 'master'];
    if (first !== undefined) run(join(first.folder, 'bin', 'ifconfig'), args);
  }
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
  await joined();
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

/** Until the agents see each other and all is well, for a moment: an agent that finds fault is no failure here. */
async function joined(): Promise<void> {
  const argv = [plan.proxyctl, 'status', '--check'];
  const env = { ...process.env, PROXYCTL_CONFIG: join(runtime, 'proxyctl.toml') };
  for (const deadlineMs = Date.now() + 3000; Date.now() < deadlineMs;) {
    const child = spawn(process.execPath, argv, { env, stdio: 'ignore' });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code === 0) return;
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

/** Whoever wanted the lab is gone: everything goes, the files too. */
function leave(): void {
  for (const child of running.values()) child.kill('SIGKILL');
  if (options.root) removeTopology(plan);
  rmSync(runtime, { recursive: true, force: true });
  process.exit(0);
}

process.on('SIGTERM', () => process.exit(0));
if (options.tied) process.stdin.on('end', leave).resume();
up().catch((error: unknown) => {
  writeFileSync(join(runtime, 'failed'), error instanceof Error ? error.message : String(error));
  process.exit(1);
});
