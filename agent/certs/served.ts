import type { ListenerCheck } from '../core/certs/listener-check.ts';
import { sentence } from '../core/words.ts';
import type { SwapItem } from './entry.ts';
import { HandshakeError } from './handshake.ts';
import { serverNames } from './names.ts';
import type { Listener, NodeSwapParts } from './port.ts';

type Asks = Pick<NodeSwapParts, 'ask' | 'algorithm'>;

/** What is wanted to be known of one certificate. */
interface Wanted {
  readonly path: string;
  readonly names: readonly string[];
  /** SHA-1 of the leaf in HAProxy's memory; null: not known. */
  readonly fingerprint: string | null;
  /** Paths of the loaded certificates by their SHA-1. */
  readonly known: ReadonlyMap<string, string>;
}

/** So many of its names are asked before a certificate counts as hidden behind others. */
const NAMES = 5;

/** What is said of a certificate that nobody can be asked for. */
export const NO_LISTENER: ListenerCheck = {
  listener: '',
  servername: '',
  verified: false,
  reason: 'no listener is known for it: not verified by a TLS handshake',
};

/** TLS 1.3 shows the certificate before the client's own is missed. */
export const NOT_FINISHED =
  'it wants a client certificate: it shows this one, and no handshake can be finished';

/** Why a handshake showed nothing, with what the configuration says of it. */
export function whyNot({ hint }: Pick<Listener, 'hint'>, error: unknown): string {
  const why = error instanceof HandshakeError ? error.why : sentence(error);
  return hint === '' ? `it shows no certificate: ${why}` : `${hint} (${why})`;
}

/** The listeners that hold `path`; a bind that names it twice is one. */
const holding = (listeners: readonly Listener[], path: string): readonly Listener[] =>
  listeners.filter(({ holds }) => holds.some((one) => one.path === path));

/** The listeners that serve an item of a swap: those of the list it goes into, else those that hold it. */
export const servingItem = (
  listeners: readonly Listener[],
  { path, into }: Pick<SwapItem, 'path' | 'into'>,
): readonly Listener[] =>
  into === null
    ? holding(listeners, path)
    : listeners.filter(({ lists }) => lists.includes(into.list));

/** The names under which a listener serves what it holds: its filters, else those of the certificate. */
export function namesAt(
  { holds }: Listener,
  path: string,
  names: readonly string[],
): readonly string[] {
  const all = holds.filter((one) => one.path === path).map(({ filters }) => filters);
  const denied = all.flat().filter((one) => one.startsWith('!'));
  return all
    .flatMap((filters) => {
      const wanted = filters.filter((one) => !one.startsWith('!'));
      return wanted.length > 0 ? wanted : names;
    })
    .filter((name) => !denied.includes(`!${name}`));
}

/**
 * SHA-1 of what a client gets from the first listener of `path` that shows something; null where no
 * listener is known that can be asked. Rejects where none shows anything.
 */
export async function servedFor(
  { listeners, ask }: Pick<NodeSwapParts, 'listeners' | 'ask'>,
  path: string,
  names: readonly string[],
): Promise<string | null> {
  const usable = holding(await listeners(), path).filter(({ barrier }) => barrier === '');
  let failure: unknown = null;
  for (const one of usable) {
    const [servername = null] = serverNames(namesAt(one, path, names));
    try {
      return await ask(one.place, servername, '');
    } catch (error) {
      failure = error;
    }
  }
  if (failure !== null) throw failure;
  return null;
}

/** What the listeners of a certificate show now: a client's SHA-1, and what each of them said. */
export async function lookAt(
  asks: Asks,
  listeners: readonly Listener[],
  wanted: Wanted,
): Promise<{ readonly served: string | null; readonly checks: readonly ListenerCheck[] }> {
  const mine = holding(listeners, wanted.path);
  if (mine.length === 0) return { served: null, checks: [NO_LISTENER] };
  const looks = await Promise.all(mine.map((one) => lookAtOne(asks, one, wanted)));
  const { fingerprint } = wanted;
  const wrong = looks.find(
    ({ check, shown }) => !check.verified && shown !== null && shown !== fingerprint,
  );
  const right = looks.find(({ check }) => check.verified);
  const unfinished = looks.find(({ shown }) => shown !== null);
  return {
    served: wrong?.shown ?? right?.shown ?? unfinished?.shown ?? null,
    checks: looks.map(({ check }) => check),
  };
}

interface Look {
  readonly check: ListenerCheck;
  /** What is not another certificate's right. */
  readonly shown: string | null;
}

async function lookAtOne(asks: Asks, one: Listener, wanted: Wanted): Promise<Look> {
  const { path, fingerprint, known } = wanted;
  const check = (servername: string | null, verified: boolean, reason: string): ListenerCheck => ({
    listener: one.name,
    servername: servername ?? '',
    verified,
    reason,
  });
  if (one.barrier !== '') return { check: check(null, false, one.barrier), shown: null };
  const names = serverNames(namesAt(one, path, wanted.names)).slice(0, NAMES);
  let last: Look | null = null;
  for (const ofItsKey of [false, true]) {
    // HAProxy is asked for the key only where the first answer was another certificate.
    const keyType = ofItsKey ? await keyWord(asks, path) : '';
    for (const servername of names.length > 0 ? names : [null])
      try {
        const shown = await asks.ask(one.place, servername, keyType);
        if (shown === fingerprint && one.wantsClient)
          return { check: check(servername, false, NOT_FINISHED), shown };
        if (fingerprint === null || shown === fingerprint)
          return { check: check(servername, fingerprint !== null, ''), shown };
        const other = known.get(shown);
        last ??= {
          check: check(
            servername,
            false,
            other === undefined
              ? 'it shows another certificate'
              : `its names are answered with ${other}`,
          ),
          shown: other === undefined ? shown : null,
        };
      } catch (error) {
        last ??= { check: check(servername, false, whyNot(one, error)), shown: null };
        if (!(error instanceof HandshakeError && error.alert)) return last;
      }
  }
  return last ?? { check: check(null, false, 'it was not asked'), shown: null };
}

/** "RSA" or "EC" of a loaded certificate, to ask for it where both are served under one name. */
export async function keyWord(
  { algorithm }: Pick<Asks, 'algorithm'>,
  path: string,
): Promise<string> {
  const said = await algorithm(path).catch(() => '');
  return /^[A-Z]+/.exec(said)?.[0] ?? '';
}
