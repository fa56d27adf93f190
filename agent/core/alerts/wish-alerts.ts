import { alert, type Noticed } from './alert.ts';
import type { NodeStatus } from '../answers.ts';
import type { AppliedIntent, Intent } from '../model.ts';
import { kindOf, targetOf } from '../servers/servers.ts';

interface Unmet {
  readonly node: string;
  readonly applied: AppliedIntent;
}

/**
 * What operators wished of servers and a HAProxy does not have: one alert a wish, whichever nodes
 * it is about. `nodes`: those that are heard; `intents`: those in force.
 */
export function wishAlerts(nodes: readonly NodeStatus[], intents: readonly Intent[]): Noticed[] {
  // By key and only those: thousands are in force, and this is looked at after every round.
  const unmet = new Map<string, Unmet[]>();
  for (const { node, report } of nodes)
    for (const applied of report?.applied ?? [])
      if (applied.problem !== '')
        unmet.set(applied.key, [...(unmet.get(applied.key) ?? []), { node, applied }]);
  if (unmet.size === 0) return [];
  return intents.flatMap((intent) => {
    const of = unmet.get(intent.key);
    const target = of === undefined ? null : targetOf(intent.key);
    if (of === undefined || target === null) return [];
    return ofWish(intent, `${target.backend}/${target.server}`, of);
  });
}

/** The worst of what the nodes say of one wish. */
function ofWish(intent: Intent, name: string, unmet: readonly Unmet[]): Noticed[] {
  const at = (server: AppliedIntent['server']): string =>
    unmet.flatMap(({ node, applied }) => (applied.server === server ? [node] : [])).join(', ');
  const { again, forget } = wordsFor(intent, name);
  const wish = `the ${wordOf(intent)} that ${intent.actor} asked for`;
  const back = at('back');
  if (back !== '') {
    const text = `was gone and is there again on ${back}: ${wish} is not applied`;
    return [alert('server-back', name, text, `${again} applies it, ${forget} ends it`)];
  }
  const gone = at('gone');
  if (gone !== '') {
    const text = `no such server on ${gone}: ${wish} waits for nothing`;
    return [alert('server-gone', name, text, `${forget} ends it`)];
  }
  const [first] = unmet;
  if (first === undefined) return [];
  const text = `${wish} is not in force on ${first.node}: ${first.applied.problem}`;
  return [alert('wish-refused', name, text, `${again} tries again, ${forget} ends it`)];
}

const wordOf = ({ key, value }: Intent): string =>
  kindOf(key) === 'weight' ? `weight ${value}` : value;

/** The commands that say a wish again, and that take it back. */
const wordsFor = (
  { key, value }: Intent,
  name: string,
): { readonly again: string; readonly forget: string } =>
  kindOf(key) === 'weight'
    ? { again: `proxyctl weight ${name} ${value}`, forget: `proxyctl weight ${name} reset` }
    : { again: `proxyctl ${value} ${name}`, forget: `proxyctl ready ${name}` };
