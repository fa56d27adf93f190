import { join } from 'node:path';
import type { Scene } from './scene.ts';
import { CHECKOUT } from './plan.ts';
import { nft } from './topology.ts';

/** The relay's own connections leave from these ports, so that they are not redirected again. */
const OWN_PORTS = '20000-20099';
const FIRST_PORT = 17_660;

/**
 * What the host's agent sends to its peers goes through a relay that holds it
 * back; the agents keep each other's addresses. Streams that stand are reset
 * when it is switched on and off.
 */
export async function delay({ plan, host, on, value, signal, helper }: Scene): Promise<void> {
  await signal('relay', 'SIGKILL');
  if (!on) return nft(host.namespace, 'inet', 'delay', null);
  const targets = plan.hosts
    .filter(({ node }) => node !== host.node)
    .flatMap(({ address4, address6 }) => [address4, address6])
    .map((address, at) => ({ address, port: FIRST_PORT + at }));
  const relays = targets.map(({ address, port }) => `${port}=${address}`);
  helper('relay', [join(CHECKOUT, 'dist/test/lab/relay.js'), String(value ?? 100), ...relays]);
  const redirects = targets.map(({ address, port }) => {
    const family = address.includes(':') ? 'ip6' : 'ip';
    return `${family} daddr ${address} tcp dport 7660 tcp sport != ${OWN_PORTS} redirect to :${port}`;
  });
  const chains = `chain nat {
 type nat hook output priority -100;
${redirects.join('\n')}
}
chain rst {
 type filter hook output priority 0;
 oifname "eth0" tcp dport 7660 tcp sport != ${OWN_PORTS} reject with tcp reset
}
`;
  nft(host.namespace, 'inet', 'delay', chains);
}
