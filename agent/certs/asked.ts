import type { ListenerCheck } from '../core/certs/listener-check.ts';
import { askAll, ownText } from './ask-all.ts';
import { touchedBy, type Around, type Asked, type SwapItem } from './entry.ts';
import { answerTooLong } from './many-names.ts';
import { serverNames } from './names.ts';
import type { Listener, NodeSwapParts } from './port.ts';
import { keyWord, namesAt, NO_LISTENER, servingItem, whyNot } from './served.ts';
import { tooLargeFor } from './size.ts';

/** What the listeners of a swap showed before it. */
export interface Before {
  readonly asked: readonly Asked[];
  readonly around: readonly Around[];
  /** Listeners that could not be asked, by the path of the item. */
  readonly checks: ReadonlyMap<string, readonly ListenerCheck[]>;
}

/** So many certificates that share names are put back in their order. */
const AROUND = 40;
/** So many names of one certificate are asked at one listener. */
const NAMES = 100;

/**
 * Asks the listeners of a swap for every name of its certificates, and of those that share one with
 * them: HAProxy answers a shared name with whichever it has inserted first, and a commit inserts all
 * names of a certificate anew, behind the others.
 */
export async function askBefore(
  parts: NodeSwapParts,
  items: readonly SwapItem[],
  version: string,
): Promise<Before> {
  const work = touchedBy({ items });
  const checks = new Map<string, readonly ListenerCheck[]>();
  if (work.length === 0) return { asked: [], around: [], checks };
  const all = await parts.listeners();
  const mine = new Map(work.map((item) => [item.path, servingItem(all, item)]));
  const touched = [...new Set([...mine.values()].flat())];
  const others = new Set(touched.flatMap(({ holds }) => holds.map(({ path }) => path)));
  for (const { path } of work) others.delete(path);
  const loaded = new Map(
    (await parts.haproxy.loadedAll([...others])).flatMap((one) =>
      one === null ? [] : [[one.path, one] as const],
    ),
  );
  const fingerprints = new Map<string, string>();
  for (const { path, fingerprint } of loaded.values())
    if (fingerprint !== null) fingerprints.set(path, fingerprint);
  const old = new Map(
    (await parts.haproxy.loadedAll(work.map(({ path }) => path))).flatMap((one) =>
      one === null ? [] : [[one.path, one.names] as const],
    ),
  );
  const itemNames = ({ path, names, into }: SwapItem): readonly string[] =>
    into === null ? [...(old.get(path) ?? []), ...names] : into.names;
  const named = (one: Listener, path: string): readonly string[] => {
    const item = work.find((other) => other.path === path);
    if (item?.into) return item.into.names;
    return namesAt(
      one,
      path,
      item === undefined ? (loaded.get(path)?.names ?? []) : itemNames(item),
    );
  };

  const beside = new Set<string>();
  for (const one of touched) {
    const names = new Map<string, string[]>();
    for (const { path } of one.holds)
      for (const name of named(one, path).map((name) => name.toLowerCase()))
        names.set(name, [...(names.get(name) ?? []), path]);
    const reach = work.filter((item) => mine.get(item.path)?.includes(one)).map(({ path }) => path);
    const seen = new Set(reach);
    for (let path = reach.pop(); path !== undefined; path = reach.pop())
      for (const name of named(one, path))
        for (const other of names.get(name.toLowerCase()) ?? [])
          if (!seen.has(other)) {
            seen.add(other);
            reach.push(other);
            if (others.has(other)) beside.add(other);
          }
  }
  const around =
    beside.size > AROUND ? [] : await sameOnDisk(parts, [...beside], fingerprints, version);

  const questions: Omit<Asked, 'before' | 'owner'>[] = [];
  const known = new Set<string>();
  const add = (one: Listener, servername: string | null, keyType: string): void => {
    const key = JSON.stringify([one.name, servername, keyType]);
    if (!known.has(key))
      questions.push({
        listener: one.name,
        place: one.place,
        servername,
        keyType,
        filter: serverNames(one.holds.flatMap(({ filters }) => filters)).includes(servername ?? ''),
      });
    known.add(key);
  };
  for (const one of touched) {
    if (one.barrier !== '') continue;
    const members = [
      ...work.filter((item) => mine.get(item.path)?.includes(one)).map(({ path }) => path),
      ...around.map(({ path }) => path).filter((path) => one.holds.some((it) => it.path === path)),
    ];
    for (const path of members) {
      const names = serverNames(named(one, path)).slice(0, NAMES);
      for (const servername of names.length > 0 ? names : [null]) add(one, servername, '');
    }
  }
  const failed = new Map<string, unknown>();
  let answers = await askAll(parts, questions, failed);
  // RSA and ECDSA under the same names: a client that takes only its kind of key.
  const kinds = questions.length;
  for (const item of work)
    for (const one of mine.get(item.path) ?? []) {
      const names = serverNames(named(one, item.path));
      const shown = questions.flatMap((question, at) =>
        question.listener === one.name && names.includes(question.servername ?? '')
          ? [answers[at] ?? null]
          : [],
      );
      if (item.into !== null || shown.every((was) => was === null)) continue;
      if (shown.includes(item.fingerprintBefore)) continue;
      const keyType = await keyWord(parts, item.path);
      if (keyType !== '')
        for (const servername of names.slice(0, NAMES)) add(one, servername, keyType);
    }
  answers = [...answers, ...(await askAll(parts, questions.slice(kinds), failed))];

  for (const item of work)
    checks.set(
      item.path,
      (mine.get(item.path) ?? []).flatMap((one) => {
        const reason =
          one.barrier !== ''
            ? one.barrier
            : failed.has(one.name)
              ? whyNot(one, failed.get(one.name))
              : '';
        const told = { listener: one.name, servername: '', verified: false, reason };
        return reason === '' ? [] : [told];
      }),
    );
  for (const item of work)
    if (mine.get(item.path)?.length === 0) checks.set(item.path, [NO_LISTENER]);

  const ownerOf = (question: Omit<Asked, 'before' | 'owner'>, before: string | null) => {
    const one = touched.find(({ name }) => name === question.listener);
    const added = work.find(
      ({ into, path }) =>
        into !== null &&
        one !== undefined &&
        mine.get(path)?.includes(one) === true &&
        serverNames(into.names).includes(question.servername ?? '') &&
        one.holds.every(
          (other) =>
            other.path === path ||
            !serverNames(named(one, other.path)).includes(question.servername ?? ''),
        ),
    );
    if (added !== undefined) return added.path;
    const held = (path: string): boolean => one?.holds.some((it) => it.path === path) === true;
    const item = work.find(
      ({ path, fingerprintBefore }) => held(path) && fingerprintBefore === before,
    );
    if (item !== undefined) return item.path;
    return [...fingerprints].find(([path, it]) => it === before && held(path))?.[0] ?? null;
  };
  return {
    asked: questions.map((question, at) => {
      const before = answers[at] ?? null;
      return { ...question, before, owner: ownerOf(question, before) };
    }),
    around,
    checks,
  };
}

/** Those that can be committed again as they are. */
async function sameOnDisk(
  parts: NodeSwapParts,
  paths: readonly string[],
  fingerprints: ReadonlyMap<string, string>,
  version: string,
): Promise<Around[]> {
  const found: Around[] = [];
  for (const path of paths) {
    const fingerprint = fingerprints.get(path);
    const pem = await ownText(parts, path, fingerprint);
    if (pem === null || fingerprint === undefined) continue;
    if (tooLargeFor(version, path, pem) !== null || answerTooLong(path, pem)) continue;
    found.push({ path, fingerprint });
  }
  return found;
}
