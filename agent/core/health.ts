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
 * The health class of one host against its fresh peers: the worst of its HAProxys.
 * `down`: dead or hung. `unknown`: it cannot be asked. `partly`: a required frontend
 * is closed. `degraded`: a backend is down here and up at a peer, or a vhid is INIT
 * here and not there. What every node sees alike does not count.
 */
export function healthOf(self: Observed, peers: readonly Observed[]): HealthReading {
  const worst = worstOf(self.haproxy.map(healthOfHaproxy));
  if (worst !== null) return worst;
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

/** What one HAProxy makes of its host, whatever others see; null: nothing worse than its backends. */
function healthOfHaproxy(haproxy: HaproxyReport): HealthReading | null {
  const name = haproxy.instance === '' ? 'HAProxy' : `HAProxy ${haproxy.instance}`;
  const { state, problem } = haproxy;
  const because = problem === '' ? '' : `: ${problem}`;
  if (problem === NOT_READ) return { health: 'unknown', reason: `${name} was not asked yet` };
  switch (state) {
    case 'down':
    case 'hung':
    case 'stopping':
      return { health: 'down', reason: `${name} is ${state}${because}` };
    case 'unknown':
      return { health: 'unknown', reason: `${name} cannot be asked${because}` };
    case 'up': {
      const closed = haproxy.frontends.find((frontend) => frontend.required && !frontend.open);
      if (closed === undefined) return null;
      return { health: 'partly', reason: `${name}: frontend ${closed.name} is not open` };
    }
  }
}

const ORDER: readonly Health[] = ['serving', 'degraded', 'partly', 'unknown', 'down'];

/** Place in the order of health, 0 for the best. */
const placeOf = (health: Health): number => ORDER.indexOf(health);

const worstOf = (readings: readonly (HealthReading | null)[]): HealthReading | null =>
  readings.reduce(
    (worst, one) =>
      one !== null && (worst === null || placeOf(one.health) > placeOf(worst.health)) ? one : worst,
    null,
  );

/** Known to serve on every required frontend. */
export const isOpen = (health: Health): boolean => health === 'serving' || health === 'degraded';

/** Known to refuse clients on some required frontend, or on all. */
export const refuses = (health: Health): boolean => health === 'partly' || health === 'down';

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
