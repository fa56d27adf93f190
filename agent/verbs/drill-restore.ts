import type { ActHeader } from '../core/acts.ts';
import { homesOf, type DrillRecord } from '../core/drill.ts';
import { pinKey, wish } from '../core/intents.ts';
import { mastersOf } from './addresses.ts';
import { watchDark, type DarkTimes } from './dark.ts';
import { isOpen } from '../core/health.ts';
import type { Member } from '../core/member.ts';
import { stamped, storeEverywhere, until, whyOf, type Pair } from './pair.ts';

/** How long an address may take to come home; its pin ends by itself no later than this after, ms. */
const HOME_MS = 5000;
const PIN_MS = 10_000;
/** How long it may take until all know that frontends are open again, ms. */
const OPEN_MS = 5000;

export interface Restored {
  /** What is not as before; empty where all is. */
  readonly left: string;
  readonly dark: DarkTimes;
}

/**
 * Brings every address to where it was before the drill and takes the drill's pins back. What
 * somebody else has pinned meanwhile stays theirs. Done twice it changes nothing; never rejects.
 */
export async function restoreDrill(
  pair: Pair,
  record: Pick<DrillRecord, 'homes' | 'kind' | 'node'>,
  header: ActHeader,
): Promise<Restored> {
  const closed = record.kind === 'haproxy' ? await opened(pair, record.node) : [];
  const wallMs = pair.clock.wallMs();
  const pinOf = (id: string) => wish(pair.intents(), pinKey(id), wallMs);
  const isOurs = (id: string): boolean => {
    const pin = pinOf(id);
    return pin === null || pin.requestId === header.requestId;
  };
  const homes = [...homesOf(record)].map(([id, home]) => ({ id, home }));
  const ours = homes.filter(({ id }) => isOurs(id));
  const isHome = ({ id, home }: { id: string; home: string }): boolean => {
    const masters = mastersOf(pair, id);
    return masters.length === 1 && masters[0] === home;
  };
  const away = ours.filter((one) => {
    const pin = pinOf(one.id);
    return !isHome(one) || (pin !== null && pin.value !== one.home);
  });
  const dark = watchDark(
    pair,
    away.flatMap(({ id, home }) => {
      const [from] = mastersOf(pair, id);
      return from === undefined || from === home ? [] : [{ id, from, to: home }];
    }),
  );
  if (away.length > 0)
    await storeEverywhere(
      pair,
      stamped(
        pair,
        header,
        away.map(({ id, home }) => ({
          key: pinKey(id),
          value: home,
          deleted: false,
          untilMs: PIN_MS,
        })),
      ),
    );
  await until(pair, () => away.every(isHome), HOME_MS);
  const darkTimes = dark();
  await unpin(pair, header);
  const left = homes.filter((one) => !isHome(one)).map(({ id, home }) => `${id} is not on ${home}`);
  const kept = homes
    .filter(({ id }) => !ours.some((one) => one.id === id))
    .map(({ id }) => `${id} was pinned by somebody else meanwhile`);
  return { left: [...new Set([...closed, ...left, ...kept])].join(', '), dark: darkTimes };
}

/** That node, as it is asked. Throws for one that is not configured any more. */
export function memberOf(pair: Pair, node: string): Member {
  const member = pair.members.find((one) => one.node === node);
  if (member === undefined) throw new Error(`no node is called ${node}`);
  return member;
}

/** Has a node open its frontends, and waits until it says that they are; what is not so, a sentence. */
async function opened(pair: Pair, node: string): Promise<string[]> {
  try {
    await memberOf(pair, node).openFrontends();
  } catch (error) {
    return [whyOf(error)];
  }
  const health = () => pair.view().find((one) => one.node === node)?.report?.health ?? 'unknown';
  if (await until(pair, () => isOpen(health()), OPEN_MS)) return [];
  return [`HAProxy on ${node} is ${health()}`];
}

/** Takes back every pin of this request, on every node in touch. */
export async function unpin(pair: Pair, header: ActHeader): Promise<void> {
  const wallMs = pair.clock.wallMs();
  const pins = [...pair.intents().values()].filter(
    ({ key, requestId }) => key.startsWith(pinKey('')) && requestId === header.requestId,
  );
  const standing = pins.filter(({ key }) => wish(pair.intents(), key, wallMs) !== null);
  if (standing.length === 0) return;
  await storeEverywhere(
    pair,
    stamped(
      pair,
      header,
      standing.map(({ key }) => ({ key, value: '', deleted: true, untilMs: null })),
    ),
  );
}
