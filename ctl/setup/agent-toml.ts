import { peerOf, withPort, type Host, type Operator, type Plan, type Prefixed } from './plan.ts';

const PORT = 7660;
const quoted = (words: readonly string[]): string =>
  words.map((one) => JSON.stringify(one)).join(', ');

/** agent.toml of one host; what is not in it has its default (proxyctl-agent.toml(5)). */
export function agentToml(plan: Plan, host: Host): string {
  const peer = peerOf(plan, host);
  const base = plan.vhids[0]?.advskew[host.node] ?? 0;
  const preempt = plan.preempt
    ? `# rc.conf starts this host behind (200 and more): with preempt it would take the
# address at boot, before its agent knows of a pin or maintenance.
base_advskew = ${base}
`
    : '';
  return `# agent.toml, written by proxyctl setup. Check with: proxyagent --check
node = "${host.node}"
pair = "${plan.pair}"

[tls]
ca = "/usr/local/etc/proxyctl/tls/ca.pem"
cert = "/usr/local/etc/proxyctl/tls/node.pem"
key = "/usr/local/etc/proxyctl/tls/node.key"

[[peer]]
node = "${peer.node}"
# tried in turn
address = [${quoted(peer.addresses.map((one) => withPort(one, PORT)))}]

[[network]]
name = "${plan.network}"
interface = "${host.interface}"
vhids = [${plan.vhids.map(({ id }) => id).join(', ')}]
${preempt}
[haproxy]
config = "/usr/local/etc/haproxy.conf"
socket = "/var/run/haproxy.sock"

[policy]
# asked when the other host is silent: who is cut off?
witness = [${quoted(host.gateways.map((one) => (/^fe[89ab]/i.test(one) ? `${one}%${host.interface}` : one)))}]

[acme]
responder = ["127.0.0.1:7661", "[::1]:7661"]
`;
}

/** ~/.config/proxyctl/config.toml of an operator; the files lie in the directory named after the pair. */
export function operatorToml(plan: Plan, { name }: Operator): string {
  const agents = plan.hosts.map((host) => `${host.node} = [${quoted(reachable(plan, host))}]`);
  return `# config.toml, written by proxyctl setup, for ~/.config/proxyctl
current = "${plan.pair}"

[contexts.${JSON.stringify(plan.pair)}]
# of each agent the addresses are tried in turn
agents = { ${agents.join(', ')} }
ca = "${plan.pair}/ca.pem"
cert = "${plan.pair}/${name}.pem"
key = "${plan.pair}/${name}.key"
`;
}

/** An address of each family, first what pf lets operators reach: of the family, better of the kind, of their networks. */
function reachable({ operatorsFrom }: Plan, { addresses }: Host): string[] {
  const near = (from: string, { address, family }: Prefixed): number =>
    from.includes(':') !== (family === 6)
      ? 0
      : from.split(':')[0] === address.split(':')[0]
        ? 2
        : 1;
  const score = (one: Prefixed): number =>
    Math.max(0, ...operatorsFrom.map((from) => near(from, one)));
  const sorted = [...addresses].sort((a, b) => score(b) - score(a));
  return sorted
    .filter(({ family }, at) => sorted.findIndex((one) => one.family === family) === at)
    .map((one) => withPort(one, PORT));
}
