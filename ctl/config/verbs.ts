import type { ServersAnswer } from '../../agent/core/answers.ts';
import {
  withPlainMarks,
  type ConfigAnswer,
  type NodeConfig,
} from '../../agent/core/haproxy-config/reading.ts';
import { ActFailure } from '../../agent/core/results.ts';
import type { Agent } from '../connect/client.ts';
import { compared, lossesOf, type Comparison, type Losses, type Side } from './compare.ts';
import { readLocal, type LocalConfig } from './local.ts';

/** What `config diff` shows. */
export interface ConfigDiff {
  /** The node that was asked. */
  readonly node: string;
  readonly nodes: readonly NodeConfig[];
  readonly comparisons: readonly (Comparison & Losses)[];
  /** Whether secrets were compared too: not of a local file by who is no admin. */
  readonly secretsCompared: boolean;
  /** Why sessions and wishes are not known; empty: they are, or nothing of them hangs on it. */
  readonly unknown: string;
}

/** Compares the nodes with one another, or a file of this machine with each of them. Rejects with ActFailure. */
export async function configDiff(agent: Agent, path: string | null): Promise<ConfigDiff> {
  const local = path === null ? null : readLocal(path);
  const answer = await agent.readConfig({ secrets: local?.secrets ?? [] });
  const { secretsCompared, sides, file } = sidesOf(answer, local);
  const names = answer.nodes.map(({ node }) => node);
  const [first, ...others] = sides;
  const comparisons =
    file === null
      ? others.flatMap((side) => (first === undefined ? [] : [compared(first, side, names)]))
      : sides.map((side) => compared(side, file, names));
  const hangs = comparisons.some(
    ({ changes: { gone, added } }) => gone.servers.length + added.servers.length > 0,
  );
  let live: Pick<ServersAnswer, 'nodes' | 'intents'> = { nodes: [], intents: [] };
  let unknown = '';
  if (hangs)
    try {
      live = await agent.servers(null);
      const silent = live.nodes.find(({ problem }) => problem !== '');
      if (silent !== undefined) unknown = `${silent.node}: ${silent.problem}`;
    } catch (error) {
      if (!(error instanceof ActFailure)) throw error;
      unknown = error.message;
    }
  return {
    node: answer.node,
    nodes: answer.nodes,
    comparisons: comparisons.map((one) => ({ ...one, ...lossesOf(one, live.nodes, live.intents) })),
    secretsCompared,
    unknown,
  };
}

/** The configuration of every node, or of the named one. Rejects with ActFailure. */
export async function configShow(agent: Agent, node: string | null): Promise<ConfigAnswer> {
  const answer = await agent.readConfig({ secrets: [] });
  const nodes = answer.nodes.filter((one) => node === null || one.node === node);
  if (nodes.length > 0) return { ...answer, nodes };
  const known = answer.nodes.map((one) => one.node).join(', ');
  throw new ActFailure('not-found', {
    code: 'node_unknown',
    message: `no node of this pair is called ${JSON.stringify(node)}`,
    remediation: `there are ${known}`,
  });
}

function sidesOf(answer: ConfigAnswer, local: LocalConfig | null) {
  const read = answer.nodes.filter(({ problem, files }) => problem === '' && files.length > 0);
  const secretsCompared = local === null || !local.hasSecrets || answer.secrets.length > 0;
  // Where the file's secrets are not told apart, nobody's are.
  const shown = (text: string): string =>
    local !== null && answer.secrets.length === 0 ? withPlainMarks(text) : text;
  const sides = read.map(({ node, files }): Side => ({
    name: node,
    isNode: true,
    files: files.map(({ path, text }) => ({ path, text: shown(text) })),
  }));
  const file: Side | null =
    local === null ? null : { name: local.path, isNode: false, files: local.files(answer.secrets) };
  return { secretsCompared, sides, file };
}
