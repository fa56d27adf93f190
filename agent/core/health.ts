import type { AddressReport, HaproxyReport, Health, NodeReport } from './model.ts';

/** What a report of HAProxy says before it was asked once: nothing is known, nothing follows. */
export const NOT_READ = 'not read yet';

/** No HAProxy of this host is still to be asked for the first time. */
export const isRead = (haproxy: readonly HaproxyReport[]): boolean =>
  haproxy.every(({ problem }) => problem !== NOT_READ);

/** Subject of the problem that says why HAProxy cannot be asked, with the line to write. */
export const HAPROXY_SOCKET = 'haproxy-socket';

/** Subject of the problem that says why an agent sets nothing. */
export const UNPRIVILEGED = 'privilege';

/** That node's agent watches and never sets anything: it can neither give an address nor take one. */
export const isObserver = ({ problems }: Pick<NodeReport, 'problems'>): boolean =>
  problems.some(({ subject }) => subject === UNPRIVILEGED);

export interface HealthReading {
  readonly health: Health;
  readonly reason: string;
}

/** What of a host its health follows from. */
export type Observed = Pick<NodeReport, 'addresses' | 'haproxy'>;

/**
 * The health class of one host against its fresh peers. `down`: an HAProxy is
 * dead, hung or keeps a required frontend closed. `degraded`: a backend is down
 * here and up at a peer, or a vhid is INIT here and not there. What every node
 * sees alike does not count.
 */
export function healthOf(self: Observed, peers: readonly Observed[]): HealthReading {
  for (const haproxy of self.haproxy) {
    const cause = downBecause(haproxy);
    if (cause !== null) return { health: 'down', reason: cause };
  }
  for (const peer of peers) {
    const init = self.addresses.find((mine) => isInit(mine) && isLinked(peer, mine.address));
    if (init !== undefined)
      return { health: 'degraded', reason: `vhid ${init.vhid} is INIT here and not on a peer` };
  }
  const worse = backendsDown(self).filter((name) => peers.some((peer) => backendUp(peer, name)));
  if (worse.length > 0) {
    const which = worse.length === 1 ? `backend ${worse[0]} is` : `backends ${list(worse)} are`;
    return { health: 'degraded', reason: `${which} down here and up on a peer` };
  }
  return { health: 'serving', reason: 'HAProxy serves' };
}

/** Why this HAProxy serves nobody, or null when it does. */
function downBecause(haproxy: HaproxyReport): string | null {
  const name = haproxy.instance === '' ? 'HAProxy' : `HAProxy ${haproxy.instance}`;
  switch (haproxy.state) {
    case 'down':
      return `${name} is down${haproxy.problem === '' ? '' : `: ${haproxy.problem}`}`;
    case 'hung':
      return `${name} is hung${haproxy.problem === '' ? '' : `: ${haproxy.problem}`}`;
    case 'stopping':
      return `${name} is stopping`;
    case 'unknown':
      return null;
    case 'up': {
      const closed = haproxy.frontends.find((frontend) => frontend.required && !frontend.open);
      return closed === undefined ? null : `${name}: frontend ${closed.name} is not open`;
    }
  }
}

/** Names of the backends that are down, in the order HAProxy has them. */
export function backendsDown(node: Observed): string[] {
  return node.haproxy.flatMap(({ backends }) =>
    backends.filter(({ up }) => !up).map(({ name }) => name),
  );
}

function backendUp(node: Observed, name: string): boolean {
  return node.haproxy.some(
    (haproxy) => haproxy.state === 'up' && haproxy.backends.some((b) => b.name === name && b.up),
  );
}

const isInit = (address: AddressReport): boolean => address.state === 'INIT';

const isLinked = (peer: Observed, address: string): boolean =>
  peer.addresses.some(
    (theirs) =>
      theirs.address === address && (theirs.state === 'BACKUP' || theirs.state === 'MASTER'),
  );

const list = (names: readonly string[]): string =>
  names.length <= 3
    ? names.join(', ')
    : `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`;
