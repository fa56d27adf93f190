import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { ran } from '../lab/client.ts';
import { inside, labOrder } from '../lab/lab.ts';
import { CHECKOUT } from '../lab/plan.ts';
import type { LabReport } from '../lab/report.ts';
import type { Step } from './words.ts';

/** Strangers come from an address of the client's network where no operator is. */
const FROM = '10.1.60.77';
const attackers = new Map<string, ChildProcess>();

/** Switches the fault of a step on or off. */
export async function switched(lab: LabReport, step: Step, state: 'on' | 'off'): Promise<void> {
  const { name, node, value } = step;
  const order = (fault: string, to: 'on' | 'off'): Promise<unknown> =>
    labOrder(lab.name, {
      op: 'fault',
      fault,
      state: to,
      ...(node === null ? {} : { node }),
      ...(value === null || to === 'off' ? {} : { value: String(value) }),
    });
  if (name === 'attack') await (state === 'on' ? attack(lab) : leave(lab));
  else if (name === 'reload') {
    // The lab says no where there is none to reload.
    if (state === 'on')
      await labOrder(lab.name, { op: 'reload', node: node ?? '' }).catch(() => undefined);
  } else if (name === 'soft-stop-haproxy' && state === 'off') {
    // It may still wait for a session; nobody would start another once it has ended.
    await order('kill-haproxy', 'on');
    await order('kill-haproxy', 'off');
  } else await order(name, state);
}

/** Strangers and a viewer at every agent, from the client's host. */
async function attack(lab: LabReport): Promise<void> {
  await ran(inside(lab, 'client', ['ip', 'addr', 'replace', `${FROM}/24`, 'dev', 'eth0']));
  const script = join(CHECKOUT, 'dist/test/lab/attack.js');
  const hosts = lab.nodes.map(({ address4 }) => address4);
  const argv = [process.execPath, script, lab.runtime, FROM, ...hosts];
  const [file = '', ...args] = inside(lab, 'client', argv);
  attackers.set(lab.name, spawn(file, args, { stdio: 'ignore' }));
}

async function leave(lab: LabReport): Promise<void> {
  attackers.get(lab.name)?.kill('SIGKILL');
  await ran(inside(lab, 'client', ['ip', 'addr', 'del', `${FROM}/24`, 'dev', 'eth0']));
}
