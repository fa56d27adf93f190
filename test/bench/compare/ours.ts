import { proxyctl, ran } from '../../lab/client.ts';
import { VHID, INTERFACE } from '../../lab/plan.ts';
import type { LabNode, LabReport } from '../../lab/report.ts';
import { join } from 'node:path';
import { broken, until, type Contender } from './contender.ts';

const saying = async (lab: LabReport, ...args: readonly string[]): Promise<void> => {
  const { code, stderr } = await proxyctl(lab, args);
  if (code !== 0) throw new Error(`proxyctl ${args.join(' ')}: exit ${code}: ${stderr}`);
};

/** The lab as it comes up: an agent on each host. */
export const pair: Contender = {
  name: 'proxyctl',
  text: 'CARP (1 s adverts) with an agent on each host, everything at its default',
  moves: 'proxyctl failover --to',
  start: (lab) =>
    Promise.resolve({
      move: (_from, to) => saying(lab, 'failover', '--to', to.name),
      daemon: (node, state) =>
        broken(lab, 'kill-agent', state === 'dies' ? 'on' : 'off', node).then(() => undefined),
      home: async () => {
        await until('failback', async () => {
          const { code } = await proxyctl(lab, ['failback', '--timeout', '3s']);
          return code === 0;
        });
        await until('status --check is content', async () => {
          const { code } = await proxyctl(lab, ['status', '--check']);
          return code === 0;
        });
      },
      end: () => Promise.resolve(),
    }),
};

const backup = async ({ tools }: LabNode): Promise<void> => {
  const vhid = [INTERFACE.freebsd, 'vhid', String(VHID), 'state', 'backup'];
  const { code, stderr } = await ran([join(tools, 'ifconfig'), ...vhid]);
  if (code !== 0) throw new Error(`ifconfig ${vhid.join(' ')}: ${stderr}`);
};
const isMaster = async ({ tools }: LabNode): Promise<boolean> => {
  const { stdout } = await ran([join(tools, 'ifconfig'), INTERFACE.freebsd]);
  return stdout.includes('carp: MASTER');
};

/** The same hosts and the same CARP, and nobody who looks at HAProxy. */
export const carp: Contender = {
  name: 'CARP alone',
  text: 'the same CARP (1 s adverts, advskew 0 and 100) without agents',
  moves: 'ifconfig vhid state backup on the MASTER',
  start: async (lab) => {
    for (const node of lab.nodes) await broken(lab, 'kill-agent', 'on', node);
    const [first, second] = lab.nodes;
    if (first === undefined || second === undefined) throw new Error('the lab has no two hosts');
    return {
      move: (from) => backup(from),
      daemon: null,
      home: () =>
        until('the preferred host is MASTER', async () => {
          const [mine, theirs] = [await isMaster(first), await isMaster(second)];
          if (theirs && !mine) await backup(second);
          return mine && !theirs;
        }),
      end: () => Promise.resolve(),
    };
  },
};
