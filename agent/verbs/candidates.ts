import type { ActResult } from '../core/results.ts';
import type { Pair } from './pair.ts';

/**
 * A push that found no single place on a node, with the places that every node of it can take: a
 * `--as` that one of them would refuse helps nobody. Those of some nodes alone are named as such.
 */
export async function withCommonPlaces(pair: Pair, done: ActResult): Promise<ActResult> {
  const { error } = done;
  const offered = done.nodes.flatMap(({ error: own }) =>
    own?.code === 'path_ambiguous' ? placesIn(own.cause) : [],
  );
  if (error?.code !== 'path_ambiguous' || offered.length === 0) return done;
  const nodes = done.nodes.map(({ node }) => node);
  const loaded = await Promise.all(
    pair.members
      .filter(({ node }) => nodes.includes(node))
      .map(async (member) => {
        const all = await member.inspectCertificates(false).catch(() => null);
        return { node: member.node, names: all?.map(({ name }) => name) ?? null };
      }),
  );
  // What is not known of a node is left as the first one said it.
  if (loaded.some(({ names }) => names === null)) return done;
  const common: string[] = [];
  const apart: string[] = [];
  for (const place of new Set(offered)) {
    const on = loaded.flatMap(({ node, names }) => (names?.includes(place) === true ? [node] : []));
    if (on.length === loaded.length) common.push(place);
    else if (on.length > 0) apart.push(`${place} only on ${on.join(', ')}`);
  }
  const cause = [
    common.length > 0 ? `candidates: ${common.join(', ')}` : 'no candidate is on every node',
    ...apart,
  ].join('; ');
  const remediation =
    common.length > 0
      ? error.remediation
      : 'name a certificate that every node has: --as PATH (proxyctl cert list), or one name for ' +
        'both places: certificates.map of agent.toml';
  return { ...done, error: { ...error, cause, remediation } };
}

const PREFIX = 'candidates: ';

/** The places in what certs/loaded.ts says. */
const placesIn = (cause: string): string[] =>
  cause.startsWith(PREFIX) ? cause.slice(PREFIX.length).split(', ') : [];
