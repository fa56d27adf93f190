import { isCalled } from '../core/addresses.ts';
import { ActFailure } from '../core/results.ts';
import type { Pair } from './pair.ts';

/** One address of the pair, from what all nodes report of it. */
export interface PairAddress {
  /** VHID@NETWORK */
  readonly id: string;
  readonly vhid: number;
  readonly vips: readonly string[];
  /** The node with the lowest base advskew, then name. */
  readonly preferred: string;
  /** In order of preference. */
  readonly nodes: readonly { readonly node: string; readonly fresh: boolean }[];
}

/** Nodes in touch that say MASTER for the address. */
export const mastersOf = (pair: Pair, id: string): string[] =>
  pair
    .view()
    .filter(
      ({ fresh, report }) =>
        fresh &&
        report?.addresses.some(({ address, state }) => address === id && state === 'MASTER'),
    )
    .map(({ node }) => node);

/**
 * The addresses an operator named (VHID@NETWORK, a bare vhid, or one of its IPs), or all of
 * them, each once. Throws ActFailure: not-found for none, usage for an ambiguous vhid or IP.
 */
export function addressesOf(pair: Pair, named: readonly string[]): PairAddress[] {
  const all = known(pair);
  const list = all.map(({ id }) => id).join(', ');
  if (all.length === 0) {
    throw new ActFailure('not-found', {
      code: 'no_address',
      message: 'no CARP address is known on any node',
      remediation: 'proxyctl status shows what could not be read and why',
    });
  }
  if (named.length === 0) return all;
  const chosen = named.map((name) => {
    const found = all.filter((one) => isCalled(one, name));
    const [first, second] = found;
    if (first === undefined) {
      throw new ActFailure('not-found', {
        code: 'no_such_address',
        message: `no address is called ${name}`,
        cause: `the addresses are ${list}`,
        remediation: 'name one of them, or its vhid or IP',
      });
    }
    if (second !== undefined) {
      throw new ActFailure('usage', {
        code: 'ambiguous_address',
        message: `${/^\d+$/.test(name) ? 'vhid ' : ''}${name} is on several networks`,
        cause: found.map(({ id }) => id).join(', '),
        remediation: 'name the one that is meant',
      });
    }
    return first;
  });
  return [...new Set(chosen)];
}

function known(pair: Pair): PairAddress[] {
  const readings = pair
    .view()
    .flatMap(({ node, fresh, report }) =>
      (report?.addresses ?? []).map((reading) => ({ node, fresh, reading })),
    );
  const ids = [...new Set(readings.map(({ reading }) => reading.address))].sort();
  return ids.flatMap((id) => {
    const nodes = readings
      .filter(({ reading }) => reading.address === id)
      .sort(
        (a, b) =>
          (a.reading.baseAdvskew ?? a.reading.advskew) -
            (b.reading.baseAdvskew ?? b.reading.advskew) || (a.node < b.node ? -1 : 1),
      );
    const [first] = nodes;
    if (first === undefined) return [];
    const { vhid, vips } = first.reading;
    return [{ id, vhid, vips, preferred: first.node, nodes }];
  });
}
