import { moreList, PLACES, PREFIX6, type HostPlan } from './plan.ts';

/** One server behind HAProxy: its own port in the backends' namespace. */
export interface BackendServer {
  readonly backend: string;
  readonly name: string;
  readonly port: number;
  readonly tls: boolean;
  readonly checked: boolean;
}

/** HAProxy takes 64 words of a line. */
const MOST_ON_A_LINE = 20;

/** The backends of the home network this product comes from, and WEB with three servers. */
export const SERVERS: readonly BackendServer[] = [
  ['WEB', 'web1', 8081, false, true],
  ['WEB', 'web2', 8082, false, true],
  ['WEB', 'web3', 8083, false, true],
  ['ADGUARD01', 'adguard01', 8101, true, true],
  ['ADGUARD02', 'adguard02', 8102, false, true],
  ['GITEA', 'gitea', 3000, false, true],
  ['HEIMDALL', 'heimdall', 8104, true, true],
  ['MINEOS', 'mineos', 8105, true, true],
  ['NETBOX', 'netbox', 8106, true, true],
  ['PROXMOX', 'proxmox', 8006, true, true],
  ['SYNCTHING', 'syncthing', 8108, false, true],
  ['TORRENT', 'torrent', 9091, false, true],
  ['UNIFI', 'unifi', 8443, true, true],
  ['ZABBIX', 'zabbix', 8111, false, true],
].map(([backend, name, port, tls, checked]) => ({
  backend: String(backend),
  name: String(name),
  port: Number(port),
  tls: tls === true,
  checked: checked === true,
}));

/** haproxy.conf of one host: both families, TLS with ALPN, redirect, hosts, stick tables, checks. */
export function haproxyConfig(host: HostPlan, group: string | null = null, bulk = 0): string {
  const backends = [...new Set(SERVERS.map(({ backend }) => backend))];
  const routes = backends
    .filter((backend) => backend !== 'WEB')
    .map((name) => `    use_backend ${name} if { hdr(host) -i ${name.toLowerCase()}.example.net }`);
  const more = host.more.map(({ path }) => `crt ${path}`);
  const crt = [
    `crt ${host.certPath}`,
    ...(more.length > MOST_ON_A_LINE ? [`crt-list ${moreList(host)}`] : more),
  ].join(' ');
  return `global
    log 127.0.0.1 local0
    maxconn 1024
    localpeer ${host.node}
    stats socket ${host.statsSocket} mode 660 level admin${group === null ? '' : ` group ${group}`}
    stats timeout 30s
    ssl-default-bind-curves X25519:prime256v1:secp384r1
    ssl-default-bind-options prefer-client-ciphers ssl-min-ver TLSv1.2 no-tls-tickets
    ssl-default-server-options ssl-min-ver TLSv1.2 no-tls-tickets

defaults
    log global
    mode http
    stats enable
    stats uri /report
    stats refresh 30s
    stats auth haproxy:very-secure-password
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    timeout tunnel 3600s
    timeout http-keep-alive 5s
    timeout http-request 15s
    timeout queue 30s
    timeout tarpit 60s
    default-server inter 400ms rise 2 fall 2

frontend HTTP_frontend
    bind ipv6@:443 ssl ${crt} alpn h2,http/1.1
    bind ipv6@:80
    bind :443 ssl ${crt} alpn h2,http/1.1
    bind :80
    http-after-response set-header X-Node ${host.node}
    acl acme_challenge path_beg /.well-known/acme-challenge/
    http-request redirect scheme https unless { ssl_fc } || { path_beg /plain/ } || acme_challenge
    option forwardfor if-none
    use_backend ACME if acme_challenge
${routes.join('\n')}
    default_backend WEB
    timeout client 15m

backend ACME
    server agent4 127.0.0.1:7661 check
    server agent6 [::1]:7661 check

peers pair
${host.haproxys.map(({ node, address }) => `    peer ${node} ${address}:1024`).join('\n')}

${backends.map(backend).join('\n')}
${bulkBackends(bulk)}`;
}

function backend(name: string): string {
  const servers = SERVERS.filter((server) => server.backend === name).map(
    ({ name: server, port, tls, checked }) =>
      `    server ${server} [${PREFIX6}${PLACES.backends}]:${port}${tls ? ' ssl verify none' : ''}${checked ? ' check' : ''}`,
  );
  // Three servers that take turns; one with a table keeps its clients.
  const stick =
    name === 'WEB'
      ? '    balance roundrobin'
      : '    stick-table type ip size 50k expire 30m peers pair\n    stick on src';
  return `backend ${name}\n${servers.join('\n')}\n${stick}\n`;
}

function bulkBackends(servers: number): string {
  return Array.from({ length: Math.ceil(servers / 100) }, (_, at) => {
    const lines = Array.from(
      { length: Math.min(100, servers - at * 100) },
      (_, one) => `    server s${one} 127.0.0.1:${1 + ((at * 100 + one) % 65_000)}`,
    );
    return `backend BULK${String(at).padStart(2, '0')}\n${lines.join('\n')}\n`;
  }).join('\n');
}

/** What differs by host, as HAProxy itself knows it: for a configuration that every host has alike. */
export const ownWords = ({ node, folder }: HostPlan): Readonly<Record<string, string>> => ({
  LAB_NODE: node,
  LAB_FOLDER: folder,
});

/** The configuration of a host with those words in the place of what they stand for. */
export const commonConfig = (text: string, { node, folder }: HostPlan): string =>
  text
    .replaceAll(`localpeer ${node}`, 'localpeer "${LAB_NODE}"')
    .replaceAll(`X-Node ${node}`, 'X-Node "${LAB_NODE}"')
    .replaceAll(new RegExp(`${folder}(/\\S+)`, 'g'), '"${LAB_FOLDER}$1"');
