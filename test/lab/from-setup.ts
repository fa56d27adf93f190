import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'smol-toml';
import type { HostConfig } from '../kernel/config.ts';
import { fixture } from '../fixture.ts';
import { agentConfig } from './agent-config.ts';
import { SERVERS } from './haproxy-config.ts';
import { INTERFACE, PLACES, PREFIX6, type HostPlan, type LabPlan } from './plan.ts';
import { run } from './topology.ts';

/** Where `proxyctl setup --out` wrote this lab's hosts and operators. */
export const setupFolder = (runtime: string): string => join(runtime, 'setup');

/**
 * What the namespaces force on the answers: the name of the interface, the
 * hosts' own IPv6 addresses (there is one prefix), and where the services are.
 */
function answers(plan: LabPlan): string {
  let text = fixture('setup/seed.toml').replaceAll('"vnet0"', `"${INTERFACE.freebsd}"`);
  text = text.replaceAll(/"2003:abcd:ef12:3460:[^"]*\/64", /g, '');
  text = text.replaceAll('2003:abcd:ef12:3460::1', `${PREFIX6}${PLACES.client}`);
  const own = ['fd5e:d1c2:c9de:60:d:22ff:fe50:3d0b', 'fd5e:d1c2:c9de:60:420:99ff:feeb:2969'];
  for (const [at, { address6 }] of plan.hosts.entries())
    text = text.replaceAll(own[at] ?? address6, address6);
  // The services of the lab have a certificate that nobody signed.
  text = text.replaceAll('\ntls = true\n', '\ntls = true\nverify = false\n');
  return text.replaceAll(/(name = "(\w+)"\nhosts = .*\nservers = )\[.*\]/g, (whole, head, name) => {
    const there = SERVERS.find(({ backend }) => backend === name);
    if (there === undefined) return whole;
    return `${head}["[${PREFIX6}${PLACES.backends}]:${there.port}"]`;
  });
}

/** Runs `proxyctl setup` for this lab's hosts. */
export function runSetup(plan: LabPlan): void {
  const file = join(plan.runtime, 'answers.toml');
  writeFileSync(file, answers(plan));
  const folder = setupFolder(plan.runtime);
  run(process.execPath, [plan.proxyctl, 'setup', file, '--out', folder]);
}

const written = (plan: LabPlan, { node }: HostPlan, path: string): string =>
  readFileSync(join(setupFolder(plan.runtime), node, path), 'utf8');

type Vhids = HostConfig['interfaces'][number]['vhids'];

/** The vhids of the rc.conf that setup wrote, read by sh as rc(8) does: until an alias is missing. */
export function vhidsFromSetup(plan: LabPlan, { node }: HostPlan): Vhids {
  const rcConf = join(setupFolder(plan.runtime), node, 'etc/rc.conf');
  const name = `ifconfig_${INTERFACE.freebsd}_alias`;
  const script = `. "$1"; n=0; while eval "v=\\$${name}$n"; [ -n "$v" ]; do echo "$v"; n=$((n+1)); done`;
  const aliases = run('sh', ['-c', script, 'sh', rcConf]).trim().split('\n');
  const vhids = new Map<number, Vhids[number]>();
  for (const alias of aliases) {
    const [, id, advskew, pass = '', vip = ''] =
      /^inet6? vhid (\d+) advskew (\d+) pass (\S+) alias ([^/]+)\//.exec(alias) ?? [];
    if (id === undefined) continue;
    const vips = [...(vhids.get(Number(id))?.vips ?? []), vip];
    const settings = { vhid: Number(id), advbase: 1, advskew: Number(advskew) };
    vhids.set(Number(id), { ...settings, pass, vips });
  }
  return [...vhids.values()];
}

/** haproxy.conf as setup wrote it, but for paths, and for accounts that are not here. */
export const haproxyFromSetup = (plan: LabPlan, host: HostPlan): string =>
  written(plan, host, 'usr/local/etc/haproxy.conf')
    .replaceAll('/var/run/haproxy.sock', host.statsSocket)
    .replaceAll('/usr/local/etc/ssl/example.net.pem', host.certPath)
    .replace('group proxyctl', 'group root')
    .replace(/ {4}uid 80\n {4}gid 80\n/, '');

/** agent.toml as setup wrote it: who it is and whom it knows; the lab says where files and tools are. */
export function agentFromSetup(plan: LabPlan, host: HostPlan): string {
  const own = parse(written(plan, host, 'usr/local/etc/proxyctl/agent.toml'));
  const forced = parse(agentConfig(plan, host));
  for (const name of ['node', 'pair', 'peer', 'network'] as const)
    if (own[name] !== undefined) forced[name] = own[name];
  forced['policy'] = { ...Object(forced['policy']), ...Object(own['policy']) };
  return stringify(forced);
}

/** The certificates that setup issued, in the places where the lab's agents look. */
export function tlsFromSetup(plan: LabPlan, host: HostPlan): void {
  const from = (name: string): string =>
    written(plan, host, join('usr/local/etc/proxyctl/tls', name));
  writeFileSync(join(plan.runtime, 'ca.pem'), from('ca.pem'));
  writeFileSync(join(host.folder, 'node.pem'), from('node.pem'));
  writeFileSync(join(host.folder, 'node.key'), from('node.key'), { mode: 0o600 });
}
