import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inside, labReport } from '../../lab/lab.ts';
import { INTERFACE } from '../../lab/plan.ts';
import type { LabNode, LabReport } from '../../lab/report.ts';
import { broken, until, type Contender } from './contender.ts';

/** How one keepalived is set up. */
interface Setup {
  readonly name: string;
  readonly text: string;
  /** Seconds between adverts, and between two runs of the check. */
  readonly advertS: number;
  readonly everyS: number;
  /** Priority of the preferred host and of the other: how long that waits after a goodbye follows from its own. */
  readonly priorities: readonly [number, number];
  /** Checks that have to fail in a row. */
  readonly fall: number;
  /** The check, for sh: exit 0 while HAProxy is well; `pid` is a file with its process. */
  readonly check: (pid: string) => string;
}

/** What keepalived calls itself; null where it is not installed. */
export function keepalivedVersion(): string | null {
  const { stderr, status } = spawnSync('keepalived', ['--version'], { encoding: 'utf8' });
  return status === 0 ? (/^Keepalived v(\S+)/.exec(stderr)?.[1] ?? 'unknown') : null;
}

const asMost: Setup = {
  name: 'keepalived',
  text: 'priorities 150 and 100, 1 s adverts, a script each second that asks whether the process is there, two misses',
  advertS: 1,
  priorities: [150, 100],
  everyS: 1,
  fall: 2,
  check: (pid) => `kill -0 "$(cat ${pid})"`,
};
const atLimit: Setup = {
  name: 'keepalived, fast',
  text: 'priorities 254 and 253, 0.1 s adverts, a script each second (its shortest) that asks for a page, one miss',
  advertS: 0.1,
  priorities: [254, 253],
  everyS: 1,
  fall: 1,
  check: () =>
    `printf 'HEAD /plain/check HTTP/1.0\\r\\nHost: www.example.net\\r\\n\\r\\n' | ` +
    `socat -t 0.5 -T 0.5 - TCP:127.0.0.1:80,connect-timeout=0.5 | grep -q '^HTTP/1'`,
};

interface Files {
  readonly config: string;
  readonly pid: string;
  /** What a planned move writes: it is added to the priority; -254 takes the host out. */
  readonly move: string;
  readonly haproxy: string;
}

function writeFiles(setup: Setup, lab: LabReport, node: LabNode, at: number): Files {
  const folder = join(lab.runtime, `keepalived-${node.name}`);
  mkdirSync(folder, { recursive: true });
  const files: Files = {
    config: join(folder, 'keepalived.conf'),
    pid: join(folder, 'pid'),
    move: join(folder, 'move'),
    haproxy: join(folder, 'haproxy.pid'),
  };
  const script = join(folder, 'check');
  writeFileSync(script, `#!/bin/sh\n${setup.check(files.haproxy)}\n`);
  chmodSync(script, 0o755);
  writeFileSync(files.move, '0\n');
  writeFileSync(
    files.config,
    `global_defs {
  router_id ${node.name}
  script_user root
}
vrrp_script haproxy {
  script "${script}"
  interval ${setup.everyS}
  timeout 1
  fall ${setup.fall}
  rise 2
}
track_file move {
  file "${files.move}"
  weight 1
}
vrrp_instance address {
  state BACKUP
  interface ${INTERFACE.linux}
  virtual_router_id 51
  priority ${setup.priorities[at === 0 ? 0 : 1]}
  advert_int ${setup.advertS}
  track_script {
    haproxy
  }
  track_file {
    move
  }
  virtual_ipaddress {
    ${lab.vip4}/24
  }
}
`,
  );
  return files;
}

/** What the simulated kernel has left of the address: a host without it must not answer for it. */
function forget(lab: LabReport, { name }: LabNode): void {
  const script =
    `for d in $(ls /sys/class/net); do ip addr del ${lab.vip4}/32 dev $d 2> /dev/null; done; ` +
    `while ip rule del pref 50 2> /dev/null; do :; done; ` +
    `test -z "$(ip -4 addr show to ${lab.vip4})"`;
  const [file = '', ...args] = inside(lab, name, ['sh', '-c', script]);
  if (spawnSync(file, args).status !== 0) throw new Error(`${name} still has ${lab.vip4}`);
}

/** Takes the instance out of the vote: the holder says so with priority 0, as at its end. */
const OUT = '-254\n';

function contender(setup: Setup): Contender {
  return {
    name: setup.name,
    text: setup.text,
    moves: 'a tracked file that takes the holder out',
    start: async (lab) => {
      for (const node of lab.nodes) {
        await broken(lab, 'kill-agent', 'on', node);
        await broken(lab, 'kill-carp', 'on', node);
        forget(lab, node);
      }
      const files = new Map(
        lab.nodes.map((node, at) => [node.name, writeFiles(setup, lab, node, at)]),
      );
      const daemons = new Map<string, ChildProcess>();
      const fileOf = ({ name }: LabNode): Files => {
        const own = files.get(name);
        if (own === undefined) throw new Error(`no keepalived for ${name}`);
        return own;
      };
      const notePids = async (): Promise<void> => {
        const { nodes } = await labReport(lab.name);
        for (const node of nodes) writeFileSync(fileOf(node).haproxy, `${node.haproxy_pid}\n`);
      };
      const launch = (node: LabNode): void => {
        const { config, pid } = fileOf(node);
        const argv = ['keepalived', '--dont-fork', '--vrrp', '--use-file', config, '--pid', pid];
        const own = ['--vrrp_pid', `${pid}.vrrp`, '--log-console'];
        const [file = '', ...args] = inside(lab, node.name, [...argv, ...own]);
        daemons.set(node.name, spawn(file, args, { stdio: 'ignore', detached: true }));
      };
      const kill = async (node: LabNode): Promise<void> => {
        const child = daemons.get(node.name);
        daemons.delete(node.name);
        if (child?.pid === undefined) return;
        const gone = once(child, 'exit');
        // Both of its processes, before one can tidy up after the other.
        process.kill(-child.pid, 'SIGKILL');
        await gone;
      };
      const holds = ({ name }: LabNode): boolean => {
        const [file = '', ...args] = inside(lab, name, ['ip', '-4', 'addr', 'show']);
        return spawnSync(file, args, { encoding: 'utf8' }).stdout.includes(` ${lab.vip4}/`);
      };
      await notePids();
      for (const node of lab.nodes) launch(node);
      const [first, second] = lab.nodes;
      if (first === undefined || second === undefined) throw new Error('the lab has no two hosts');
      const home = async (): Promise<void> => {
        await notePids();
        for (const node of lab.nodes) writeFileSync(fileOf(node).move, '0\n');
        await until('the preferred host has the address', () => holds(first) && !holds(second));
      };
      await home();
      return {
        move: (from, to) => {
          writeFileSync(fileOf(from).move, OUT);
          writeFileSync(fileOf(to).move, '0\n');
          return Promise.resolve();
        },
        daemon: async (node, state) => {
          if (state === 'dies') return kill(node);
          // What a killed one left behind is the next one's.
          launch(node);
        },
        home,
        end: async () => {
          for (const node of lab.nodes) await kill(node);
        },
      };
    },
  };
}

export const keepaliveds: readonly Contender[] = [contender(asMost), contender(atLimit)];
