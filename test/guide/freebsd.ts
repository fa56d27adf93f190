import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { labAgent, labOrder, labReport } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import type { LabNode, LabReport } from '../lab/report.ts';
import { stoodInFile } from './stage.ts';

// FreeBSD's programs on a host of the lab: node freebsd.js LAB NODE PROGRAM ARGUMENTS
// What nothing in the lab stands for is written down and taken for done.
const [name = '', node = '', program = '', ...args] = process.argv.slice(2);
const PATIENCE_MS = 20_000;

const order = (op: string, more: Readonly<Record<string, string>> = {}): Promise<unknown> =>
  labOrder(name, { op, node, ...more });
const fault = (what: string, state: 'on' | 'off'): Promise<unknown> =>
  order('fault', { fault: what, state });

async function here(): Promise<LabNode> {
  const found = (await lab()).nodes.find((one) => one.name === node);
  if (found === undefined) throw new Error(`no host ${node}`);
  return found;
}
const lab = (): Promise<LabReport> => labReport(name);

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const endMs = Date.now() + PATIENCE_MS; Date.now() < endMs;) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
}

/** The pid that HAProxy itself says; empty where none answers. */
async function haproxyPid({ stats_socket: path }: LabNode): Promise<string> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
    socket.end('show info\n');
    return /^Pid: (\d+)$/m.exec(await text(socket))?.[1] ?? '';
  } catch {
    return '';
  }
}

const ended = (pid: number | null) => async (): Promise<boolean> => {
  try {
    return pid === null || /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return true;
  }
};

async function terminate(pid: number | null): Promise<void> {
  if (pid !== null && !(await ended(pid)())) process.kill(pid, 'SIGTERM');
  await until(`${pid} has ended`, ended(pid));
}

function checked(argv: readonly string[]): number {
  const [file = '', ...rest] = argv;
  return spawnSync(file, rest, { stdio: 'inherit' }).status ?? 1;
}

async function startHaproxy(): Promise<void> {
  await order('config');
  await fault('kill-haproxy', 'off');
  await until('HAProxy answers', async () => (await haproxyPid(await here())) !== '');
}

async function haproxy(verb = ''): Promise<number> {
  const host = await here();
  switch (verb) {
    case 'configtest':
      await order('config');
      return checked(['haproxy', '-c', '-q', '-f', host.haproxy_config]);
    case 'reload': {
      const before = await haproxyPid(host);
      await order('config');
      await order('reload');
      await until('the new HAProxy answers', async () => {
        const now = await haproxyPid(host);
        return now !== '' && now !== before;
      });
      return 0;
    }
    case 'hardreload':
      await haproxy('reload');
      await terminate(host.haproxy_pid);
      return 0;
    case 'start':
      await startHaproxy();
      return 0;
    default:
      return nothing(`service haproxy ${verb}`);
  }
}

async function agent(verb = ''): Promise<number> {
  const host = await here();
  const main = join(CHECKOUT, 'dist/agent/main.js');
  switch (verb) {
    case 'configtest':
      await order('config');
      return checked([process.execPath, main, '--check', '--config', host.agent_config]);
    case 'restart':
      await order('config');
      await labAgent(await lab(), node, null);
      return 0;
    case 'reload': {
      const record = join(dirname(host.log), 'proxyctl-audit.log');
      const reloads = (): number => readFileSync(record, 'utf8').split('"event":"reload"').length;
      const before = reloads();
      process.kill(host.agent_pid ?? 0, 'SIGHUP');
      await until('the agent has reloaded', () => Promise.resolve(reloads() > before));
      return 0;
    }
    case 'status':
      return host.agent_pid === null ? 1 : 0;
    default:
      return nothing(`service proxyagent ${verb}`);
  }
}

/** The network from rc.conf anew: every vhid is made again. */
async function netif(): Promise<number> {
  await fault('kill-carp', 'on');
  await order('config');
  await fault('kill-carp', 'off');
  return 0;
}

/** A host in maintenance that goes down and comes back: it has no address to hand over. */
async function reboot(): Promise<number> {
  const { agent_pid: pid } = await here();
  await terminate(pid);
  await fault('kill-haproxy', 'on');
  await netif();
  await startHaproxy();
  await fault('kill-agent', 'off');
  return 0;
}

function nothing(what: string): number {
  appendFileSync(stoodInFile(name, node), `${what}\n`);
  return 0;
}

async function stoodIn(): Promise<number> {
  const [first = '', verb] = args;
  if (program === 'shutdown' && args.join(' ') === '-r now') return reboot();
  if (program !== 'service') return nothing([program, ...args].join(' '));
  if (first === 'haproxy') return haproxy(verb);
  if (first === 'proxyagent') return agent(verb);
  if (first === 'netif') return netif();
  return nothing(`service ${first} ${verb ?? ''}`);
}

try {
  process.exitCode = await stoodIn();
} catch (error) {
  process.stderr.write(`${node}: ${program} ${args.join(' ')}: ${String(error)}\n`);
  process.exitCode = 1;
}
