import { splitAddress } from '../../agent/wire/address.ts';
import { withPort, type Backend, type Host, type Plan } from './plan.ts';

/** Mozilla's intermediate configuration, guideline 5.7, for HAProxy 2.4 and later. */
const TLS = `    ssl-default-bind-curves X25519:prime256v1:secp384r1
    ssl-default-bind-ciphers ${ciphers()}
    ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256
    ssl-default-bind-options prefer-client-ciphers ssl-min-ver TLSv1.2 no-tls-tickets
    ssl-default-server-ciphers ${ciphers()}
    ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256
    ssl-default-server-options ssl-min-ver TLSv1.2 no-tls-tickets`;

function ciphers(): string {
  const aead = ['AES128-GCM-SHA256', 'AES256-GCM-SHA384', 'CHACHA20-POLY1305'];
  return aead.flatMap((one) => [`ECDHE-ECDSA-${one}`, `ECDHE-RSA-${one}`]).join(':');
}

/**
 * haproxy.conf, the same on both hosts but for `localpeer`: both families on 80
 * and 443, one backend a service with checks, a stick table that the other host
 * gets as well, and the way of ACME's http-01 to the agent.
 */
export function haproxyConf(plan: Plan, host: Host): string {
  const peers = plan.hosts.map(({ node, addresses: [first] }) =>
    first === undefined ? '' : `    peer ${node} ${withPort(first, plan.peersPort)}`,
  );
  const routes = plan.backends.flatMap(({ name, hosts }) =>
    hosts.length === 0
      ? []
      : [`    use_backend ${name} if { req.hdr(host),field(1,:) -i ${hosts.join(' ')} }`],
  );
  const otherwise =
    plan.defaultBackend === null ? [] : [`    default_backend ${plan.defaultBackend}`];
  const crt = `ssl crt ${plan.certificate} alpn h2,http/1.1`;
  const six = host.addresses.some(({ family }) => family === 6);
  const four = host.addresses.some(({ family }) => family === 4);
  const binds = [
    ...(six ? [`    bind ipv6@:443 ${crt}`, '    bind ipv6@:80'] : []),
    ...(four ? [`    bind ipv4@:443 ${crt}`, '    bind ipv4@:80'] : []),
  ];
  return `# haproxy.conf, written by proxyctl setup
# The same on both hosts but for localpeer. Mozilla guideline 5.7, intermediate
global
    daemon
    # www of FreeBSD's base; HAProxy reads its files before it gives root up
    uid 80
    gid 80
    localpeer ${host.node}
    log /var/run/log local0 info
    maxconn 1024
    hard-stop-after 15m
    stats socket /var/run/haproxy.sock mode 660 level admin group proxyctl expose-fd listeners
    stats timeout 30s
${TLS}

defaults
    log global
    mode http
    option httplog
    option redispatch
    timeout connect 5s
    timeout client 30s
    timeout server 30s
    retries 3
    timeout tunnel 1h
    timeout http-keep-alive 5s
    timeout http-request 15s
    timeout queue 30s
    timeout tarpit 60s
    default-server inter 3s rise 2 fall 3

# The other host learns which client belongs to which server: a failover keeps it
peers ${plan.pair}
${peers.join('\n')}

frontend HTTP_frontend
${binds.join('\n')}
    acl acme path_beg /.well-known/acme-challenge/
    http-request redirect scheme https unless { ssl_fc } || acme
    # The client's address as HAProxy sees it: what a client says itself is taken out
    http-request del-header X-Forwarded-For
    option forwardfor
    timeout client 15m
    use_backend ACME if acme
${[...routes, ...otherwise].join('\n')}

# proxyagent answers http-01 on both; whichever host is asked has every token
backend ACME
    server agent4 127.0.0.1:7661 check inter 2s rise 1 fall 2
    server agent6 [::1]:7661 check inter 2s rise 1 fall 2

${plan.backends.map((one) => backend(plan, one)).join('\n')}`;
}

function backend({ pair }: Plan, one: Backend): string {
  const { name, servers, sticky } = one;
  const lines = servers.map((address, at) => {
    const own = `${name.toLowerCase()}${servers.length === 1 ? '' : at + 1}`;
    return `    server ${own} ${written(address)}${one.tls ? ` ssl ${verified(one)}` : ''} check`;
  });
  // Of type ipv6, because one of type ip holds no client that comes by IPv6.
  const stick = sticky
    ? [`    stick-table type ipv6 size 50k expire 30m peers ${pair}`, '    stick on src']
    : ['    balance roundrobin'];
  return `backend ${name}\n${[...lines, ...stick].join('\n')}\n`;
}

/** The server proves that it is the first of the names that go there; of the system's CAs, or of `ca`. */
function verified({ verify, ca, hosts: [name] }: Backend): string {
  const named = name === undefined ? '' : ` sni str(${name}) check-sni ${name}`;
  const from = verify ? `verify required ca-file ${ca ?? '@system-ca'}` : 'verify none';
  return `${from}${named}${verify && name !== undefined ? ` verifyhost ${name}` : ''}`;
}

function written(address: string): string {
  const split = splitAddress(address);
  if (split === null) return address;
  return split.host.includes(':') ? `[${split.host}]:${split.port}` : address;
}
