import { join } from 'node:path';
import { ownWords } from './haproxy-config.ts';
import { CHECKOUT, HOOK, WITNESS, type HostPlan, type LabPlan } from './plan.ts';

/** agent.toml of one host: every path in the lab's own directory, a short hold. */
export function agentConfig(plan: LabPlan, host: HostPlan): string {
  const bin = (tool: string): string => join(host.folder, 'bin', tool);
  const peers = plan.hosts
    .filter(({ node }) => node !== host.node)
    .map(
      ({ node, address4, address6 }) =>
        `[[peer]]\nnode = "${node}"\naddress = ["${address4}:7660", "[${address6}]:7660"]\n`,
    );
  const more = host.more.map(({ path, servername }) => `"${servername}" = "${path}"`);
  return `node = "${host.node}"
pair = "${plan.name}"
listen = ["[::]:7660", "0.0.0.0:7660"]
user = "${plan.user ?? 'root'}"
state = "${host.stateDir}"
socket = { path = "${host.agentSocket}", group = "root", role = "admin" }
log = { file = "${host.log}", level = "info", format = "json" }

[tls]
ca = "${plan.runtime}/ca.pem"
cert = "${host.folder}/node.pem"
key = "${host.folder}/node.key"

${peers.join('\n')}
[carp]
devd = "${host.folder}/devd.pipe"
tools = { ifconfig = "${bin('ifconfig')}", sysctl = "${bin('sysctl')}", kldstat = "${bin('kldstat')}", netstat = "${bin('netstat')}", pfctl = "${bin('pfctl')}", ngctl = "${bin('ngctl')}", ndp = "${bin('ndp')}" }

[haproxy]
config = "${host.haproxyConfig}"
check = [${check(plan, host)}]
reload = [${reload(plan, host)}]
${plan.deploy === undefined ? '' : `deploy = true\nsocket = "${host.statsSocket}"\n`}
[certificates]
map = { ${[`site = "${host.certPath}"`, ...more].join(', ')} }

[acme]
webroot = "${host.folder}/webroot"

[policy]
hold = "1s"
${plan.icmp === undefined ? '' : `icmp = "${plan.icmp}"\n`}${plan.maxMoves === undefined ? '' : `max_moves = ${plan.maxMoves}\n`}${plan.user === undefined ? `witness = [${WITNESS.map((address) => `"${address.split('/')[0]}"`).join(', ')}]\n` : ''}${plan.metrics === undefined ? '' : `\n[metrics]\nlisten = ["127.0.0.1:7662", "${host.address4}:7662"]\n`}${plan.web === undefined ? '' : `\n[web]\nlisten = ["127.0.0.1:7663", "${host.address4}:7663"]\n`}${plan.notify === true || plan.channels === true ? mailed(plan, host) : ''}${plan.channels === true ? alsoTold(plan) : ''}`;
}

/** A mail of everything, by `sendmail` of the runtime folder. */
const mailed = ({ runtime }: LabPlan, { node }: HostPlan): string => `
[[notify]]
name = "ops"
kind = "mail"
from = "${node}@web.example.net"
to = ["ops@example.net"]
sendmail = "${runtime}/sendmail"
`;

/** The same by a program and by a webhook. */
const alsoTold = ({ runtime }: LabPlan): string => `
[[notify]]
name = "program"
kind = "exec"
command = ["${runtime}/told"]

[[notify]]
name = "hook"
kind = "webhook"
url = "https://${HOOK.address}:${HOOK.port}/hook"
ca = "${runtime}/ca.pem"
`;

/** With what HAProxy itself knows of its host, where the configuration is the same on all. */
const check = (plan: LabPlan, host: HostPlan): string => {
  const own = Object.entries(ownWords(host)).map(([name, value]) => `${name}=${value}`);
  const env = plan.deploy === undefined ? [] : ['/usr/bin/env', ...own];
  return [...env, plan.haproxy, '-c', '-f', host.haproxyConfig]
    .map((word) => `"${word}"`)
    .join(', ');
};

/** The lab's own reload, as words: what rc.d/haproxy is on FreeBSD. */
const reload = (plan: LabPlan, host: HostPlan): string =>
  [
    process.execPath,
    join(CHECKOUT, 'dist/test/lab/main.js'),
    'reload',
    host.node,
    '--name',
    plan.name,
  ]
    .map((word) => `"${word}"`)
    .join(', ');

/** proxyctl's config.toml: the unix sockets from anywhere (one context a node, too), mutual TLS from inside the lab. */
export function clientConfig(plan: LabPlan): string {
  const pairs = (value: (host: HostPlan) => string): string =>
    plan.hosts.map((host) => `${host.node} = "${value(host)}"`).join(', ');
  return `current = "lab"

[contexts.lab]
sockets = { ${pairs(({ agentSocket }) => agentSocket)} }

[contexts.tls]
agents = { ${pairs(({ address4 }) => `${address4}:7660`)} }
ca = "ca.pem"
cert = "operator.pem"
key = "operator.key"
${plan.hosts.map(({ node, agentSocket }) => `\n[contexts.${node}]\nsocket = "${agentSocket}"\n`).join('')}`;
}
