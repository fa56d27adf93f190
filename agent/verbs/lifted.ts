import { inForce, serverKey, weightKey, type ServerTarget } from '../core/intents.ts';
import { targetOf } from '../core/servers/servers.ts';
import type { Pair } from './pair.ts';
import type { Found } from './server-look.ts';
import { expandWhereFound, keyOf, nameOf, nodesOf, noSuchServer } from './server-targets.ts';
import { nodesWithout, type Named } from './server-targets.ts';

/** What `ready` and `weight reset` are about. */
export interface Lifted {
  /** What some node has. */
  readonly targets: readonly ServerTarget[];
  /** What no node has that can be asked, and something was wished of: that is forgotten. */
  readonly lost: readonly ServerTarget[];
}

/**
 * Servers to be as they are configured again. One that a node lacks needs nothing there, and a wish
 * whose server is gone ends. Throws ActFailure 'not-found' for a name that no node has and of which
 * nothing was ever wished.
 */
export function liftedBy(pair: Pair, named: readonly Named[], found: readonly Found[]): Lifted {
  const targets = expandWhereFound(named, found);
  const there = new Set(targets.map(keyOf));
  const wallMs = pair.clock.wallMs();
  const lost = new Map<string, ServerTarget>();
  for (const { backend, server } of named) {
    const wishes = [...pair.intents().values()].flatMap((intent) => {
      const target = targetOf(intent.key);
      const meant =
        target?.backend === backend && (server === null || server === target.server) && target;
      return meant === false || meant === undefined ? [] : [{ target: meant, intent }];
    });
    // Said twice it was taken back before: that is no unknown name.
    for (const { target, intent } of wishes)
      if (!there.has(keyOf(target)) && (server !== null || inForce(intent, wallMs)))
        lost.set(keyOf(target), target);
    const here = found.filter((one) => one.backend === backend);
    const known = wishes.length > 0 || targets.some((one) => isNamed(one, { backend, server }));
    if (known) continue;
    const [missing] = here.flatMap((one) => one.missing ?? []);
    if (missing !== undefined && here.every((one) => one.missing !== null)) throw missing;
    if (server !== null) throw noSuchServer(backend, server, nodesOf(here), found);
  }
  return { targets, lost: [...lost.values()] };
}

const isNamed = (target: ServerTarget, { backend, server }: Named): boolean =>
  target.backend === backend && (server === null || server === target.server);

/** Keys of both kinds of wish that are in force for these servers. */
export const keysInForce = (pair: Pair, targets: readonly ServerTarget[]): string[] =>
  targets
    .flatMap(({ instance, backend, server }) => [
      serverKey(instance, backend, server),
      weightKey(instance, backend, server),
    ])
    .filter((key) => {
      const intent = pair.intents().get(key);
      return intent !== undefined && inForce(intent, pair.clock.wallMs());
    });

/** What an operator is told of servers that some node lacks, or all; nothing where none does. */
export function lackText({ targets, lost }: Lifted, found: readonly Found[]): string[] {
  const lacking = targets.flatMap((target) => {
    const nodes = nodesWithout(target, found);
    return nodes.length === 0 ? [] : [`${nameOf(target)} is not on ${nodes.join(', ')}`];
  });
  const forgotten = lost.map(nameOf).join(', ');
  return [
    ...(lacking.length === 0 ? [] : [`${lacking.join('; ')}: nothing to do there`]),
    ...(lost.length === 0
      ? []
      : [`${forgotten}: no such server on any node; what was wished of it is forgotten`]),
  ];
}
