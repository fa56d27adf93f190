import { Buffer } from 'node:buffer';
import type {
  ConfigAnswer,
  ConfigAsk,
  ConfigReading,
  NodeConfig,
} from '../core/haproxy-config/reading.ts';
import { LOADED, MOST_SECRETS } from '../core/haproxy-config/reading.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import { enumValue, enumOrUnknown, filled, present, WireError } from './fields.ts';

const SHA256_BYTES = 32;

/** What is asked of the configurations, as it travels. */
export const configAskToWire = ({ secrets }: ConfigAsk): proxyctl.v1.ConfigRequest.$Properties => ({
  secrets: [...secrets],
});

/** The same on arrival; throws WireError. */
export function configAskFromWire({ secrets }: proxyctl.v1.ConfigRequest): ConfigAsk {
  if (secrets.length > MOST_SECRETS)
    throw new WireError('secrets', `${secrets.length} elements, at most ${MOST_SECRETS} are taken`);
  for (const [at, one] of secrets.entries())
    if (one.length !== SHA256_BYTES)
      throw new WireError(`secrets[${at}]`, `${one.length} bytes, not ${SHA256_BYTES}`);
  return { secrets };
}

/** One node's configuration as it travels: it fits one message of gRPC's. */
export const configToWire = (config: ConfigReading): proxyctl.v1.HaproxyConfig.$Properties => ({
  files: config.files.map(({ path, text, changedAt }) => ({
    path,
    text: Buffer.from(text),
    changedAt,
  })),
  problems: [...config.problems],
  notes: [...config.notes],
  version: config.version,
  startedAt: config.startedAt,
  loaded: enumValue(config.loaded, LOADED),
  why: config.why,
});

/** The same on arrival; throws WireError. */
export const configFromWire = (
  config: proxyctl.v1.HaproxyConfig.$Properties | null | undefined,
): ConfigReading => {
  const found = present('config', config);
  return {
    files: (found.files ?? []).map(({ path, text, changedAt }, at) => ({
      path: filled(`config.files[${at}].path`, path ?? ''),
      text: Buffer.from(text ?? []).toString(),
      changedAt: changedAt ?? '',
    })),
    problems: found.problems ?? [],
    notes: found.notes ?? [],
    version: found.version ?? '',
    startedAt: found.startedAt ?? '',
    loaded: enumOrUnknown(found.loaded ?? 0, LOADED),
    why: found.why ?? '',
  };
};

/** The configuration of every node as it travels, a message a node. */
export function* configAnswerToWire({
  node,
  nodes,
  secrets,
}: ConfigAnswer): Generator<proxyctl.v1.ConfigReply.$Properties> {
  for (const one of nodes)
    yield {
      answeredBy: node,
      node: one.node,
      problem: one.problem,
      config: configToWire(one),
      secrets: [...secrets],
    };
}

/** The same on arrival; throws WireError. */
export const configAnswerFromWire = (pieces: readonly proxyctl.v1.ConfigReply[]): ConfigAnswer => ({
  node: filled('answered_by', pieces[0]?.answeredBy ?? ''),
  nodes: pieces.map(({ node, problem, config }): NodeConfig => ({
    node: filled('node', node),
    problem,
    ...configFromWire(config),
  })),
  secrets: pieces[0]?.secrets ?? [],
});
