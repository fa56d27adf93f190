import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import type { ConfigFacts, Knock, Probe } from '../core/doctor/inspection.ts';

const KNOCK_MS = 1000;

/** Whether anybody accepts a TCP connection there; it is closed at once. Never rejects. */
export function knock(address: string, port: number): Promise<Knock> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (answers: boolean, why: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({ address, answers, why });
    };
    const timer = setTimeout(() => end(false, `silent for ${KNOCK_MS / 1000} s`), KNOCK_MS);
    socket.on('connect', () => end(true, ''));
    socket.on('error', (error) => end(false, 'code' in error ? String(error.code) : error.message));
  });
}

/** Knocks at every address of servers that stand for several, and of the backends for ACME. */
export async function probeServers(facts: ConfigFacts): Promise<Probe[]> {
  const acme = new Set(facts.acme.map(({ backend }) => backend));
  const byBackend = new Map<string, Server[]>();
  for (const one of facts.servers) {
    const others = byBackend.get(one.backend);
    if (others === undefined) byBackend.set(one.backend, [one]);
    else others.push(one);
  }
  const chosen = facts.servers.filter(
    (one) =>
      one.host !== '' &&
      one.port > 0 &&
      (isIP(one.host) === 0 ||
        acme.has(one.backend) ||
        isOneOfSeveral(one, byBackend.get(one.backend) ?? [])),
  );
  const probes: Probe[] = [];
  for (let at = 0; at < chosen.length; at += AT_ONCE)
    probes.push(...(await Promise.all(chosen.slice(at, at + AT_ONCE).map(probed))));
  return probes;
}

/** So many servers are knocked at together: descriptors and DNS are the agent's too. */
const AT_ONCE = 64;

async function probed({ backend, name, host, port, line, file, text }: Server): Promise<Probe> {
  const addresses = await addressesOf(host);
  const knocks = await Promise.all(addresses.map((address) => knock(address, port)));
  const where = { line, ...(file === undefined ? {} : { file }) };
  return { backend, server: name, host, port, ...where, text, addresses: knocks };
}

type Server = ConfigFacts['servers'][number];

/** The same port on another address of this host, or NAME_0 and NAME_1 on both families with one port. */
const isOneOfSeveral = (one: Server, servers: readonly Server[]): boolean =>
  servers.some(
    (other) =>
      other !== one &&
      other.port === one.port &&
      other.host !== one.host &&
      ((isLoopback(one.host) && isLoopback(other.host)) ||
        (/_\d+$/.test(one.name) &&
          isIP(one.host) !== isIP(other.host) &&
          one.name.replace(/_\d+$/, '') === other.name.replace(/_\d+$/, ''))),
  );

const isLoopback = (host: string): boolean => host === '::1' || host.startsWith('127.');

/** As getaddrinfo(3) orders them, which is HAProxy's order; none for a name nobody knows. */
async function addressesOf(host: string): Promise<string[]> {
  if (isIP(host) !== 0) return [host];
  try {
    const found = await lookup(host, { all: true, verbatim: true });
    return [...new Set(found.map(({ address }) => address))];
  } catch {
    return [];
  }
}
