import { randomBytes } from 'node:crypto';
import {
  NO_CONFIG,
  numberedMark,
  secretNumbers,
  withMarks,
  type ConfigAnswer,
  type ConfigAsk,
  type NodeConfig,
} from '../core/haproxy-config/reading.ts';
import { keyedHash } from '../haproxy/config-reading.ts';
import { othersTurn } from '../sys/turn.ts';
import { askAll } from './ask-all.ts';
import type { Pair } from './pair.ts';

/**
 * The configuration of every node's HAProxy without its secrets. Nodes hash them with a key that is
 * made for this one question and never leaves the agents; the answer has numbers instead. So whoever
 * asks learns which secrets are the same, and has nothing to try guesses against. A node that does
 * not answer says why.
 */
export async function readConfig(pair: Pair, { secrets }: ConfigAsk): Promise<ConfigAnswer> {
  const key = randomBytes(32);
  const found = await askAll(pair, pair.members, NO_CONFIG, (member) => member.readConfig(key));
  const numberOf = secretNumbers();
  const nodes: NodeConfig[] = [];
  for (const one of found) {
    const files: NodeConfig['files'][number][] = [];
    for (const file of one.files) {
      const text = withMarks(file.text, (hash) => numberedMark(numberOf(hash)));
      files.push({ ...file, text });
      await othersTurn();
    }
    nodes.push({ ...one, files });
  }
  return {
    node: pair.node,
    nodes,
    secrets: secrets.map((sha256) => numberOf(keyedHash(key, sha256))),
  };
}
