import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'smol-toml';
import type { HostConfig } from '../kernel/config.ts';
import { fixture } from '../fixture.ts';
import { agentConfig } from './agent-config.ts';
import { SERVERS } from './haproxy-config.ts';
import { INTERFACE, PLACES, PREFIX6, SITE, type HostPlan, type LabPlan } from './plan.ts';
import { run } from './topology.ts';

/** The folder on the laptop that has the answers, and `web/` with what `proxyctl setup` made of them. */
export const laptopFolder = (runtime: string): string => join(runtime, 'laptop');
/** Where `proxyctl setup --out` wrote this lab's hosts and operators. */
export const setupFolder = (runtime: string): string => join(laptopFolder(runtime), 'web');

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
  text = text.replaceAll(/(name = "(\w+)"\nhosts = .*\nservers = )\[.*\]/g, (whole, head, name) => {
    const there = SERVERS.find(({ backend }) => backend === name);
    return there === undefined ? whole : `${head}["${at(there.port)}"]`;
  });
  const web = SERVERS.filter(({ backend }) => backend === 'WEB').map(({ port }) => `"${at(port)}"`);
  return `${text}
[[backend]]
name = "WEB"
hosts = ["www.example.net"]
servers = [${web.join(', ')}]
sticky = false
`;
}

const at = (port: number): string => `[${PREFIX6}${PLACES.backends}]:${port}`;

/** Runs `proxyctl setup` for this lab's hosts, and gives each its files, below its `root`. */
export function runSetup(plan: LabPlan): void {
  mkdirSync(laptopFolder(plan.runtime), { recursive: true });
  const file = join(laptopFolder(plan.runtime), 'answers.toml');
  writeFileSync(file, answers(plan));
  const folder = setupFolder(plan.runtime);
  run(process.execPath, [plan.proxyctl, 'setup', file, '--out', folder]);
  for (const { node, root } of plan.hosts) cpSync(join(folder, node), root, { recursive: true });
}

const written = ({ root }: HostPlan, path: string): string =>
  readFileSync(join(root, path), 'utf8');

type Vhids = HostConfig['interfaces'][number]['vhids'];

/** The vhids of the rc.conf that setup wrote, read by sh as rc(8) does: until an alias is missing. */
export function vhidsFromSetup({ root }: HostPlan): Vhids {
  const rcConf = join(root, 'etc/rc.conf');
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

/** haproxy.conf as setup wrote it, but for paths, accounts that are not here, who answers, and clients without TLS. */
export const haproxyFromSetup = (host: HostPlan): string =>
  written(host, 'usr/local/etc/haproxy.conf')
    .replaceAll('/var/run/haproxy.sock', host.statsSocket)
    .replaceAll(SITE, host.certPath)
    .replace(
      '\nfrontend HTTP_frontend\n',
      `$&    http-after-response set-header X-Node ${host.node}\n`,
    )
    .replace(' unless { ssl_fc } || acme\n', ' unless { ssl_fc } || acme || { path_beg /plain/ }\n')
    .replace('group proxyctl', 'group root')
    .replace(/ {4}uid 80\n {4}gid 80\n/, '');

/** agent.toml as setup wrote it: who it is, its keys, whom it knows; the lab says where other files and tools are. */
export function agentFromSetup(plan: LabPlan, host: HostPlan): string {
  const own = parse(written(host, 'usr/local/etc/proxyctl/agent.toml'));
  const forced = parse(agentConfig(plan, host));
  for (const name of ['node', 'pair', 'peer', 'network'] as const)
    if (own[name] !== undefined) forced[name] = own[name];
  forced['tls'] = Object.fromEntries(
    Object.entries(Object(own['tls']) as Record<string, string>).map(([key, path]) => [
      key,
      join(host.root, path),
    ]),
  );
  forced['policy'] = { ...Object(forced['policy']), ...Object(own['policy']) };
  return stringify(forced);
}
