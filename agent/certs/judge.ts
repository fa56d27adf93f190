import type { ListenerCheck } from '../core/certs/listener-check.ts';
import type { Answer } from './ask-again.ts';
import type { Asked, SwapEntry, SwapItem } from './entry.ts';
import { covers, serverNames } from './names.ts';
import type { Listener } from './port.ts';
import { namesAt, NO_LISTENER, NOT_FINISHED, servingItem, whyNot } from './served.ts';

/** SHA-1 that a question is to be answered with after the swap of `items`; null: it may be any. */
export function expectedAfter(
  items: readonly SwapItem[],
  { owner, servername, before, filter }: Asked,
): string | null {
  const item = items.find(({ path }) => path === owner);
  if (item === undefined) return owner === null ? null : before;
  // A name that was given up is answered by whoever has it.
  const kept =
    servername === null || filter || item.into !== null || covers(item.names, servername);
  return kept ? item.fingerprint : null;
}

/** What the listeners of one certificate showed, or what was wrong there. */
export function judge(
  item: SwapItem,
  answers: readonly Answer[],
  { around = [], items }: Pick<SwapEntry, 'around' | 'items'>,
  all: readonly Listener[],
): { readonly checks: readonly ListenerCheck[] } | { readonly wrong: string } {
  const { path, into, fingerprint, fingerprintBefore } = item;
  const mine = servingItem(all, item);
  const pathOf = (shown: string): string | undefined =>
    around.find((one) => one.fingerprint === shown)?.path ??
    items.find(
      (one) => one.path !== path && [one.fingerprint, one.fingerprintBefore].includes(shown),
    )?.path ??
    answers.find((one) => one.before === shown && one.owner !== null && one.owner !== path)
      ?.owner ??
    undefined;
  const checks: ListenerCheck[] = [];
  for (const one of mine) {
    const names = serverNames(into?.names ?? namesAt(one, path, item.names));
    const asked = answers.filter(
      ({ listener, servername, owner }) =>
        listener === one.name &&
        (owner === path ||
          names.includes(servername ?? '') ||
          (servername === null && names.length === 0)),
    );
    const told = (verified: boolean, servername: string | null, reason: string): void =>
      void checks.push({ listener: one.name, servername: servername ?? '', verified, reason });
    const own = asked.filter(
      (answer) => answer.owner === path && expectedAfter([item], answer) !== null,
    );
    for (const { shown, servername, failure } of own) {
      if (shown === fingerprint) continue;
      const name = servername ?? 'no server name';
      if (shown === null)
        return { wrong: `${one.name} shows nothing for ${name} any more: ${whyNot(one, failure)}` };
      if (shown === fingerprintBefore || pathOf(shown) === undefined)
        return { wrong: `the listener shows ${shown} for ${name} at ${one.name}` };
    }
    const good =
      own.find(({ shown }) => shown === fingerprint) ??
      asked.find(({ shown }) => shown === fingerprint);
    if (good !== undefined)
      told(!one.wantsClient, good.servername, one.wantsClient ? NOT_FINISHED : '');
    else if (one.barrier !== '') told(false, null, one.barrier);
    else {
      const shown = asked.find((answer) => answer.shown !== null);
      const other = shown?.shown === null || shown === undefined ? undefined : pathOf(shown.shown);
      // It could not be asked before, and now it shows that the new one is not there.
      if (shown !== undefined && shown.shown === fingerprintBefore && other === undefined)
        return { wrong: `the listener shows ${shown.shown} at ${one.name}` };
      if (shown === undefined)
        told(false, null, whyNot(one, asked[0]?.failure ?? new Error('it was not asked')));
      else if (other === undefined)
        told(false, shown.servername, 'what answers there is not known to this HAProxy');
      else told(false, shown.servername, `its names are answered with ${other}`);
    }
  }
  if (mine.length === 0) checks.push(NO_LISTENER);
  return { checks };
}
