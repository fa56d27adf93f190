import {
  LOWERED_ADVSKEW,
  type AddressReport,
  type HaproxyReport,
  type HaproxyState,
} from '../core/model.ts';
import { sentence } from '../core/words.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../sys/clock.ts';
import type { CarpControl } from './ports.ts';
import { held, leave, type Leaving } from './leave.ts';

/** A HAProxy that is told to end together with the agent is dead within this long. */
const DYING_MS = 500;
/** reboot(8) kills five seconds after SIGTERM what is still there. */
const HAND_OVER_MS = 2000;

interface Ending {
  readonly loop: Leaving;
  readonly carp: Pick<CarpControl, 'set'>;
  /** HAProxy as known now; the report of the last round may be older. */
  readonly haproxy: { report(): HaproxyReport };
  readonly clock: Clock;
  readonly log: Log;
}

type Will = (
  pid: number,
  vhids: readonly Pick<AddressReport, 'interface' | 'vhid'>[],
) => Promise<void>;

/** How this host's addresses are left before the agent ends, and by its helper where it cannot. */
export function endings(ending: Ending, will: Will) {
  keepWill(ending.loop, will);
  return {
    leave: () => leave(ending.loop, ending.clock, ending.log),
    endWithHaproxy: () => endWithHaproxy(ending),
  };
}

/**
 * Before an end by SIGTERM that no shutdown announced. A stop by hand leaves HAProxy alive: nothing
 * moves, half a second later. reboot(8) and halt(8) end every process at once and leave the kernel
 * MASTER for ten seconds with nobody to serve: when HAProxy is dead or dies, every address is handed
 * over, and what nobody took after two seconds is left to the kernel of another host.
 */
export async function endWithHaproxy({ loop, carp, haproxy, clock, log }: Ending): Promise<void> {
  if (!(await dies(loop, () => isGoing(haproxy.report().state), clock))) return;
  log.info('agent-leaving', {}, 'HAProxy ends as well: every address is given away');
  await leave(loop, clock, log, HAND_OVER_MS);
  const left = held(loop);
  if (left.length === 0) return;
  const addresses = left.map(({ address }) => address).join(', ');
  const out = { advskew: LOWERED_ADVSKEW, state: 'BACKUP' } as const;
  try {
    // At once: another kernel takes each of them three seconds after this.
    await carp.set(left.map(({ interface: name, vhid }) => ({ interface: name, vhid, ...out })));
    log.info('stepped-out', { addresses }, `${addresses}: MASTER no more, whoever takes it`);
  } catch (error) {
    const fields = { addresses, cause: sentence(error) };
    log.warn('stepped-out', fields, `of ${addresses}, one stays MASTER here or more`);
  }
}

/** Keeps the privileged helper informed of what to step out of where this agent cannot. */
export function keepWill(loop: Pick<Leaving, 'report' | 'onRound'>, will: Will): void {
  loop.onRound(() => {
    const report = loop.report();
    // Of one that is down the pid it had stays known.
    const pid = report?.haproxy.find(({ state }) => state === 'up')?.pid;
    if (report === null || pid === undefined || pid === 0) return;
    // Said again at the next round.
    will(pid, report.addresses).catch(() => undefined);
  });
}

/** It has ended, or ends with the sessions it has. */
const isGoing = (state: HaproxyState): boolean => state === 'down' || state === 'stopping';

/** Whether HAProxy is dead, or is within half a second. */
function dies(loop: Leaving, isDown: () => boolean, clock: Clock): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (dead: boolean): void => {
      cancel();
      unsubscribe();
      resolve(dead);
    };
    // A round may be under way that acts on its death.
    const cancel = clock.after(DYING_MS, () => end(isDown()));
    const unsubscribe = loop.onRound(() => {
      if (isDown()) end(true);
    });
    if (isDown()) end(true);
  });
}
