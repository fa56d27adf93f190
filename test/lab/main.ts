import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Release } from '../kernel/kernel.ts';
import { olderAgents } from './agent-program.ts';
import { faultLines } from './faults.ts';
import type { AgentProgram, LabOptions } from './plan.ts';
import {
  inside,
  installedHaproxy,
  labAgent,
  labDown,
  labEnvironment,
  labOrder,
  labReport,
  labUp,
  probeCommand,
} from './lab.ts';

// The lab from the command line: npm run -s lab -- up|down|status|env|exec|probe|fault|reload|agent

type Agents = NonNullable<LabOptions['agents']>;

interface Named {
  readonly name: string;
}

const number =
  (least: number, most: number) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`a number from ${least} to ${most}`);
  };
/** NODE=WHICH, said once a node: a word is an older agent's name, a path is a bundle. */
function agentOf(text: string, others: Agents = {}): Agents {
  const [, node = '', which = ''] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (node === '') throw new InvalidArgumentError('NODE=COMMIT or NODE=PATH');
  return { ...others, [node]: programOf(which) };
}
const programOf = (which: string): AgentProgram =>
  which.includes('/') ? { bundle: resolve(which) } : { older: which };
const integer = (text: string): number => number(-1e9, 1e9)(text);
const print = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);

function runIn(argv: readonly string[], env: Readonly<Record<string, string>>): void {
  const [command = '', ...args] = argv;
  const { status, error } = spawnSync(command, args, {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (error !== undefined) throw error;
  process.exitCode = status ?? 1;
}

const program = new Command('lab')
  .description('A small FreeBSD pair on Linux: namespaces, real HAProxy, CARP on the wire')
  .enablePositionalOptions();
const verb = (usage: string, text: string): Command =>
  program.command(usage).description(text).option('--name <NAME>', 'which lab', 'pxl');

verb('up', 'bring it up; prints one JSON object')
  .option('--freebsd <N>', 'texts and quirks of 13, 14 or 15', number(13, 15), 14)
  .option('--preempt <N>', 'net.inet.carp.preempt', number(0, 1), 0)
  .option('--deviation <N>', 'kern.timecounter.alloweddeviation, %: how late (5)', number(0, 100))
  .option('--haproxy <PATH>', 'the haproxy to run (default: the one in PATH)')
  .option('--nodes <N>', 'how many hosts', number(2, 8), 2)
  .option('--addresses <N>', 'how many vhids, each with an IPv4 and an IPv6 address', number(1, 64))
  .option('--max-moves <N>', 'health moves in ten minutes before the agents hold', number(1, 1000))
  .addOption(new Option('--icmp <WHAT>', 'ping instead of raw sockets').choices(['ping']))
  .option(
    '--agent <NODE=WHICH>',
    `the agent of a node: an older one (${olderAgents().join(', ')}), or the path of a bundle with helper.sh beside it`,
    agentOf,
  )
  .option(
    '--as-packaged',
    "agents and proxyctl from the unpacked package, started as rc.d/proxyagent does: no raw-socket, nothing of the lab in them (so no fault 'clock'), and the Node that runs the lab",
  )
  .action(
    async (
      o: Named & {
        freebsd: Release;
        preempt: number;
        haproxy?: string;
        nodes: number;
        addresses?: number;
        maxMoves?: number;
        deviation?: number;
        icmp?: 'ping';
        agent?: Agents;
        asPackaged?: true;
      },
    ) => {
      const { name, freebsd, nodes } = o;
      const more = {
        ...(o.addresses === undefined ? {} : { addresses: o.addresses }),
        ...(o.maxMoves === undefined ? {} : { maxMoves: o.maxMoves }),
        ...(o.deviation === undefined ? {} : { deviation: o.deviation }),
        ...(o.icmp === undefined ? {} : { icmp: o.icmp }),
        ...(o.asPackaged === undefined ? {} : { asPackaged: true }),
        ...(o.agent === undefined ? {} : { agents: o.agent }),
      };
      const haproxy = o.haproxy === undefined ? installedHaproxy() : resolve(o.haproxy);
      print(await labUp({ name, freebsd, preempt: o.preempt === 1, haproxy, nodes, ...more }));
    },
  );
verb('down', 'end it and remove everything of it').action(async ({ name }: Named) => {
  if (!(await labDown(name))) process.stderr.write(`lab: no lab ${name} was up\n`);
});
verb('status', 'what up printed, with the pids of now').action(async ({ name }: Named) =>
  print(await labReport(name)),
);
verb('env', 'shell exports under which proxyctl works').action(async ({ name }: Named) => {
  for (const [key, value] of Object.entries(labEnvironment(await labReport(name), null)))
    process.stdout.write(`export ${key}='${value}'\n`);
});
verb('exec <place> <command...>', 'run a command on a node, or as client')
  .passThroughOptions()
  .action(async (place: string, command: string[], { name }: Named) => {
    const lab = await labReport(name);
    const argv = command[0] === '--' ? command.slice(1) : command;
    runIn(inside(lab, place, argv), labEnvironment(lab, place));
  });
verb('probe <seconds>', 'what a client with 200 new connections a second sees, as JSON')
  .option('--tls', 'HTTPS instead of HTTP', false)
  .option('--ipv6', 'the IPv6 VIP', false)
  .action(async (seconds: string, { name, tls, ipv6 }: Named & { tls: boolean; ipv6: boolean }) => {
    const lab = await labReport(name);
    const length = number(1, 86_400)(seconds);
    runIn(probeCommand(lab, length, tls ? 'tls' : 'plain', ipv6 ? 6 : 4), {});
  });
verb('fault <fault> <on|off> [node]', 'break something, or mend it; without NODE on every host')
  .option('--value <N>', 'how much: ms, per cent or seconds', integer)
  .addHelpText('after', `\nFaults:\n${faultLines()}`)
  .action(
    async (
      fault: string,
      state: string,
      node: string | undefined,
      { name, value }: Named & { value?: number },
    ) => {
      if (state !== 'on' && state !== 'off')
        throw new Error(`a fault is switched on or off, not ${state}`);
      await labOrder(name, {
        op: 'fault',
        fault,
        state,
        ...(node === undefined ? {} : { node }),
        ...(value === undefined ? {} : { value: String(value) }),
      });
    },
  );
verb('reload <node>', 'reload HAProxy with -sf').action(async (node: string, { name }: Named) => {
  await labOrder(name, { op: 'reload', node });
});
verb(
  'agent <node> <which>',
  'replace its agent, as an upgrade does: by COMMIT, PATH or checkout (as packaged: the package)',
).action(async (node: string, which: string, { name }: Named) => {
  await labAgent(await labReport(name), node, which === 'checkout' ? null : programOf(which));
});

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`lab: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
