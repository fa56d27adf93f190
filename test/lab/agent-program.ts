import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { packagedAgent } from './packaged.ts';
import { CHECKOUT, type AgentProgram, type HostPlan } from './plan.ts';

/** Which program is a host's agent, and where it lies. */

/** Where `npm run older-agent` puts what it made. */
export const OLDER_AGENTS = join(CHECKOUT, 'test/fixtures/agents');
export const olderProgram = (commit: string): string =>
  join(OLDER_AGENTS, `proxyagent-${commit}.mjs.gz`);
export const olderHelper = (commit: string): string => join(OLDER_AGENTS, `helper-${commit}.sh`);

/** The commits of which there is an older agent, sorted. */
export const olderAgents = (): string[] =>
  readdirSync(OLDER_AGENTS)
    .flatMap((name) => /^proxyagent-(.+)\.mjs\.gz$/.exec(name)?.[1] ?? [])
    .sort();

/** Throws, with what there is instead, for a node or a program that does not exist. */
export function checkAgents(
  agents: Readonly<Record<string, AgentProgram>>,
  nodes: readonly string[],
): void {
  for (const [node, program] of Object.entries(agents)) {
    if (!nodes.includes(node))
      throw new Error(`no host ${node} for an agent; there are ${nodes.join(', ')}`);
    if ('older' in program) {
      if (!olderAgents().includes(program.older))
        throw new Error(
          `no older agent ${program.older}; there are ${olderAgents().join(', ')}, or a path with a slash in it`,
        );
    } else
      for (const file of [program.bundle, join(dirname(program.bundle), 'helper.sh')])
        if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true)
          throw new Error(`the agent of ${node} needs ${file}, which is not a file`);
  }
}

/**
 * What Node is given for this host's agent: the file and its arguments. An older one is unpacked
 * into the host's folder first; without `program` it is that of the `unpacked` package, or this
 * checkout's.
 */
export function installAgent(
  host: HostPlan,
  program: AgentProgram | undefined,
  unpacked: string | null,
  supervised = false,
): readonly string[] {
  if (program === undefined && unpacked !== null) return packagedAgent(unpacked, host);
  const own = supervised && program === undefined ? ['--supervised'] : [];
  return [fileOf(host, program), '--config', host.agentConfig, ...own];
}

function fileOf({ folder }: HostPlan, program: AgentProgram | undefined): string {
  if (program === undefined) return join(CHECKOUT, 'dist/agent/main.js');
  if ('bundle' in program) return program.bundle;
  const main = join(folder, 'program', 'proxyagent.mjs');
  mkdirSync(dirname(main), { recursive: true, mode: 0o755 });
  writeFileSync(main, gunzipSync(readFileSync(olderProgram(program.older))));
  copyFileSync(olderHelper(program.older), join(dirname(main), 'helper.sh'));
  return main;
}
