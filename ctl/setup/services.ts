import { isTable, shown, tables, texts, type Found, type Table } from './raw.ts';

/** Backends and the names that lead to them. */
export function backends(raw: Table, { wrong, remarks }: Found): void {
  const list = tables(raw['backend']);
  const names = list.map(({ name }) => name);
  const hosts = new Map<string, unknown>();
  const wanted = isTable(raw['haproxy']) ? raw['haproxy']['default'] : undefined;
  if (wanted !== undefined && !names.includes(wanted))
    wrong.push({ path: ['haproxy', 'default'], message: `no backend is called ${shown(wanted)}` });
  for (const [at, { name, hosts: own, tls, ca, verify }] of list.entries()) {
    if (names.indexOf(name) !== at || name === 'ACME')
      wrong.push({ path: ['backend', at, 'name'], message: `${shown(name)} is used already` });
    if (ca !== undefined && tls !== true)
      wrong.push({ path: ['backend', at, 'ca'], message: 'is for servers with tls = true' });
    if (ca !== undefined && verify === false)
      wrong.push({ path: ['backend', at, 'ca'], message: 'verifies nothing with verify = false' });
    if (tls === true && verify === false)
      remarks.push({
        path: ['backend', at, 'verify'],
        message: `whoever answers there is taken for ${shown(name)}: its certificate is not looked at`,
      });
    else if (tls === true && texts(own).length === 0)
      remarks.push({
        path: ['backend', at],
        message: `${shown(name)} has no hosts: any certificate of the CA is taken, for whatever name`,
      });
    for (const [index, host] of texts(own).entries()) {
      const before = hosts.get(host.toLowerCase());
      if (before !== undefined)
        wrong.push({
          path: ['backend', at, 'hosts', index],
          message: `${host} goes to ${shown(before)} already`,
        });
      hosts.set(host.toLowerCase(), name);
    }
    if (own === undefined && name !== wanted)
      remarks.push({
        path: ['backend', at],
        message: `${shown(name)} has no hosts and is not haproxy.default: nothing is sent to it`,
      });
  }
}

/** Operators are not named twice, nor as a host. */
export function operators(raw: Table, nodes: readonly string[], { wrong }: Found): void {
  const names = tables(raw['operator']).map(({ name }) => name);
  for (const [at, name] of names.entries()) {
    if (names.indexOf(name) !== at)
      wrong.push({ path: ['operator', at, 'name'], message: `${shown(name)} is named twice` });
    if (typeof name === 'string' && nodes.includes(name))
      wrong.push({ path: ['operator', at, 'name'], message: `${name} is a host of this pair` });
  }
}
