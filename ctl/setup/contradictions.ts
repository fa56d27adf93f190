import { BlockList, isIP } from 'node:net';
import { backends, operators } from './services.ts';
import { bare, isTable, shown, tables, texts } from './raw.ts';
import type { Finding, Found, KeyPath, Table } from './raw.ts';
import { splitPrefix } from './schema.ts';

/**
 * What only shows when several answers are looked at together. It works on
 * whatever could be read, so that these problems stand beside those of single
 * values: nothing here trusts the shape.
 */

/** Every contradiction, and what is only worth a remark. */
export function contradictions(raw: unknown): Found {
  if (!isTable(raw)) return { wrong: [], remarks: [] };
  const found: Found = { wrong: [], remarks: [] };
  const nodes = tables(raw['host']).map(({ name }) =>
    typeof name === 'string' ? (name.split('.')[0] ?? '') : '',
  );
  hosts(raw, nodes, found);
  vhids(raw, nodes, found);
  backends(raw, found);
  operators(raw, nodes, found);
  return found;
}

function hosts(raw: Table, nodes: readonly string[], { wrong, remarks }: Found): void {
  const seen = new Map<string, string>();
  for (const [at, host] of tables(raw['host']).entries()) {
    const node = nodes[at] ?? '';
    if (node !== '' && nodes.indexOf(node) !== at)
      wrong.push({
        path: ['host', at, 'name'],
        message: `both hosts are called ${node} up to the first dot: agents need two names`,
      });
    for (const [index, given] of texts(host['address']).entries()) {
      const address = canonical(bare(given));
      const other = seen.get(address);
      if (other !== undefined)
        wrong.push({
          path: ['host', at, 'address', index],
          message: `${bare(given)} is the address of ${other} already: each host has its own`,
        });
      seen.set(address, node);
    }
    for (const [index, gateway] of texts(host['gateway']).entries()) {
      if (isIP(gateway) === 0 || within(gateway, texts(host['address'])) || isLinkLocal(gateway))
        continue;
      wrong.push({
        path: ['host', at, 'gateway', index],
        message: `${gateway} is in none of the networks of ${node}: no route could use it`,
      });
    }
  }
  const families = tables(raw['host']).map((host) => familiesOf(texts(host['address'])));
  const [first, second] = families;
  if (first !== undefined && second !== undefined && first !== second)
    wrong.push({
      path: ['host', 1, 'address'],
      message: `${nodes[0]} has ${first} and ${nodes[1]} has ${second}: give both the same families`,
    });
  else if (first === 'IPv4')
    remarks.push({
      path: ['host', 0, 'address'],
      message: 'no host has an IPv6 address: the pair serves IPv4 only',
    });
}

function vhids(raw: Table, nodes: readonly string[], { wrong, remarks }: Found): void {
  const own = tables(raw['host']).map((host) => texts(host['address']));
  const ids = new Set<unknown>();
  const taken = new Map<string, unknown>();
  for (const [at, vhid] of tables(raw['vhid']).entries()) {
    const { id } = vhid;
    if (ids.has(id))
      wrong.push({
        path: ['vhid', at, 'id'],
        message: `vhid ${shown(id)} is used twice, for different addresses: give each its own number`,
      });
    ids.add(id);
    const lists = vipLists(vhid['vips']);
    sameLists(at, lists, nodes, wrong);
    advskews(raw, at, vhid['advskew'], nodes, wrong);
    for (const { path, given } of lists[0]?.vips ?? []) {
      const address = bare(given);
      if (isIP(address) === 0) continue;
      const where = ['vhid', at, 'vips', ...path];
      const before = taken.get(canonical(address));
      if (before !== undefined)
        wrong.push({
          path: where,
          message: `${address} is given to vhid ${shown(before)} already`,
        });
      taken.set(canonical(address), id);
      for (const [index, addresses] of own.entries()) {
        if (addresses.some((one) => canonical(bare(one)) === canonical(address)))
          wrong.push({
            path: where,
            message: `${address} is ${nodes[index]}'s own address: a VIP must be a free one`,
          });
        else if (addresses.length > 0 && !within(address, addresses))
          wrong.push({
            path: where,
            message: `${address} is in no network of ${nodes[index]} (${addresses.join(', ')})`,
          });
      }
    }
    const families = familiesOf((lists[0]?.vips ?? []).map(({ given }) => given));
    if (families === 'IPv4' || families === 'IPv6')
      remarks.push({
        path: ['vhid', at, 'vips'],
        message: `vhid ${shown(id)} has no ${families === 'IPv4' ? 'IPv6' : 'IPv4'} address: clients of that family do not reach it`,
      });
  }
}

interface VipList {
  readonly node: string | null;
  readonly vips: readonly { readonly path: KeyPath; readonly given: string }[];
}

/** One list for both hosts, or one by node. */
function vipLists(value: unknown): VipList[] {
  const listed = (given: unknown, before: KeyPath) =>
    texts(given).map((one, index) => ({ path: [...before, index], given: one }));
  if (!isTable(value)) return [{ node: null, vips: listed(value, []) }];
  return Object.entries(value).map(([node, one]) => ({ node, vips: listed(one, [node]) }));
}

function sameLists(
  at: number,
  lists: readonly VipList[],
  nodes: readonly string[],
  wrong: Finding[],
) {
  const [first] = lists;
  if (first === undefined || first.node === null) return;
  wrong.push(
    ...unknownNodes(
      ['vhid', at, 'vips'],
      lists.flatMap(({ node }) => node ?? []),
      nodes,
    ),
  );
  const sorted = ({ vips }: VipList) =>
    vips
      .map(({ given }) => canonical(bare(given)))
      .sort()
      .join(', ');
  for (const other of lists.slice(1)) {
    if (sorted(other) === sorted(first)) continue;
    wrong.push({
      path: ['vhid', at, 'vips', other.node ?? ''],
      message: `differs from ${first.node}'s: the adverts carry a hash over all addresses, and both hosts would be MASTER; give both the same list`,
    });
  }
}

function advskews(
  raw: Table,
  at: number,
  value: unknown,
  nodes: readonly string[],
  wrong: Finding[],
) {
  if (!isTable(value)) return;
  const path = ['vhid', at, 'advskew'];
  for (const node of nodes)
    if (node !== '' && value[node] === undefined)
      wrong.push({ path, message: `${node} has none: name both hosts` });
  const [first, second] = nodes.map((node) => value[node]);
  if (first !== undefined && first === second)
    wrong.push({
      path,
      message: `both hosts have ${shown(first)}: who is preferred must differ, for example 0 and 100`,
    });
  wrong.push(...unknownNodes(path, Object.keys(value), nodes));
  const others = tables(raw['vhid']).slice(0, at);
  const differs = others.some(
    ({ advskew }) => !isTable(advskew) || nodes.some((node) => advskew[node] !== value[node]),
  );
  if (raw['preempt'] === true && differs)
    wrong.push({
      path,
      message:
        'with preempt = true every vhid needs the same advskew: agent.toml has one base a network',
    });
}

const unknownNodes = (
  path: KeyPath,
  given: readonly string[],
  nodes: readonly string[],
): Finding[] =>
  given
    .filter((node) => !nodes.includes(node))
    .map((node) => ({
      path: [...path, node],
      message: `no host is called ${node}; there are ${nodes.join(', ')}`,
    }));

/** Whether the address lies in one of the networks that these addresses are in. */
function within(address: string, prefixes: readonly string[]): boolean {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  const networks = new BlockList();
  for (const one of prefixes.flatMap((given) => splitPrefix(given) ?? []))
    networks.addSubnet(one.address, one.length, one.family === 6 ? 'ipv6' : 'ipv4');
  return networks.check(address, family);
}

const isLinkLocal = (address: string): boolean => /^fe[89ab]/i.test(address);

function familiesOf(addresses: readonly string[]): string {
  const six = addresses.some((one) => isIP(bare(one)) === 6);
  const four = addresses.some((one) => isIP(bare(one)) === 4);
  return six && four ? 'IPv4 and IPv6' : six ? 'IPv6' : four ? 'IPv4' : 'none';
}

/** One spelling for equal addresses; what is none stays as it is. */
function canonical(address: string): string {
  if (isIP(address) !== 6) return address;
  return new URL(`http://[${address}]/`).hostname;
}
