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

/** The file that Node starts for this host's agent; an older one is unpacked into its folder first. */
export function installAgent({ folder }: HostPlan, program: AgentProgram | undefined): string {
  if (program === undefined) return join(CHECKOUT, 'dist/agent/main.js');
  if ('bundle' in program) return program.bundle;
  const main = join(folder, 'program', 'proxyagent.mjs');
  mkdirSync(dirname(main), { recursive: true, mode: 0o755 });
  writeFileSync(main, gunzipSync(readFileSync(olderProgram(program.older))));
  copyFileSync(olderHelper(program.older), join(dirname(main), 'helper.sh'));
  return main;
}
