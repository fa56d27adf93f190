import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { inside, labOrder } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import type { LabNode, LabReport } from '../lab/report.ts';
import { adminState, eventually, nodeAt, runtime } from './scene.ts';

/** What `show servers state` has of a server's state. */
export const [READY, MAINT, DRAIN] = [0, 1, 8] as const;

/** That of a server on every node, in order. */
export const onBoth = (lab: LabReport, target: string): Promise<number[]> =>
  Promise.all(lab.nodes.map((node) => adminState(node, target)));

/** Requests of a client of the lab, one after the other; `lines` has an answer each. */
export function asking(lab: LabReport, host: string, path: string, times = 1) {
  const script = join(CHECKOUT, 'dist/test/lab/asks.js');
  const argv = [process.execPath, script, lab.vip4, host, path, String(times)];
  const [file = '', ...args] = inside(lab, 'client', argv);
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const ended = once(child, 'close');
  return {
    end: async () => {
      await ended;
      return text.trimEnd().split('\n');
    },
    stop: () => child.kill(),
  };
}

/** The process that answers on the stats socket of a node; empty where none does. */
export const haproxyPid = async (node: LabNode): Promise<string> =>
  /^Pid: (\d+)$/m.exec(await runtime(node, 'show info').catch(() => ''))?.[1] ?? '';

/** Resolves once another process than `before` answers there. */
export const succeeded = (node: LabNode, before: string): Promise<void> =>
  eventually('a new process answers', async () => !['', before].includes(await haproxyPid(node)));

/** Reloads the HAProxy of a node and resolves once the new one answers. */
export async function reloadHaproxy(lab: LabReport, node: LabNode): Promise<void> {
  const before = await haproxyPid(node);
  await labOrder(lab.name, { op: 'reload', node: node.name });
  await succeeded(node, before);
}

/** Servers that serve WEB now, by their sessions on the first node. */
export async function busy(lab: LabReport): Promise<string[]> {
  const text = await runtime(nodeAt(lab, 0), 'show stat WEB 4 -1');
  return text.split('\n').flatMap((line) => {
    const [, name = '', , , sessions] = line.split(',');
    return Number(sessions) > 0 ? [name] : [];
  });
}

/** A request that takes `ms`, and the server that has it. */
export async function slow(lab: LabReport, ms: number) {
  const client = asking(lab, 'www.example.net', `/plain/slow/${ms}`);
  let names: string[] = [];
  await eventually('the request has a server', async () => (names = await busy(lab)).length === 1);
  return { client, target: `WEB/${names[0] ?? ''}` };
}
