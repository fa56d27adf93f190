import type { ActHeader, AdminState } from '../../agent/core/acts.ts';
import type { View } from '../../agent/core/decide/view.ts';
import type { ActResult } from '../../agent/core/results.ts';
import { maintenanceKey, PAUSE_KEY, pinKey, serverKey } from '../../agent/core/intents.ts';
import { setAutomation, setMaintenance } from '../../agent/verbs/automation.ts';
import { move } from '../../agent/verbs/move.ts';
import { asFailure, type Pair } from '../../agent/verbs/pair.ts';
import { setServers } from '../../agent/verbs/servers.ts';
import type { Host } from './host.ts';
import type { World } from './world.ts';

/** What an operator can say here, and how it ended. */
export type Order =
  | {
      readonly verb: 'move';
      readonly address: string;
      readonly to: string | null;
      readonly unpin: boolean;
    }
  | { readonly verb: 'maintenance'; readonly node: string; readonly on: boolean }
  | { readonly verb: 'pause'; readonly on: boolean }
  | { readonly verb: 'servers'; readonly target: string; readonly state: AdminState };

export type Outcome = ActResult['outcome'];

const HEADER: ActHeader = {
  requestId: '',
  actor: 'anna',
  reason: '',
  acceptRisks: ['peer-unhealthy', 'last-server', 'peer-unknown'],
  dryRun: false,
  timeoutMs: null,
  seen: null,
};

/** Carries out an order by the real verbs of the agent of one host; null where there is none. */
export function order(
  world: World,
  host: Host,
  what: Order,
  untilMs: number | null = null,
  header: Partial<ActHeader> = {},
): Promise<Outcome | null> {
  const { agent } = host;
  const pair = agent?.pair ?? null;
  if (agent === null || pair === null) return Promise.resolve(null);
  world.troubled();
  world.stirred();
  world.story.say(
    host.name,
    `OPERATOR ${words(what)}${untilMs === null ? '' : ` for ${untilMs} ms`}`,
  );
  const number = world.number();
  world.verbs.set(number, agent.process);
  const head = { ...HEADER, ...header, requestId: `r${number}` };
  const ended = (result: ActResult): Outcome => {
    world.verbs.delete(number);
    world.troubled();
    world.story.say(
      host.name,
      `OPERATOR ${words(what)}: ${result.outcome} ${result.error?.message ?? ''}`,
    );
    if (result.outcome === 'reached') acknowledge(world, pair, what);
    return result.outcome;
  };
  const view = (): View | null => agent.node?.loop.view() ?? null;
  return perform(pair, what, untilMs, head, view).then(ended, (error: unknown) => {
    const { outcome, detail } = asFailure(error);
    world.verbs.delete(number);
    world.troubled();
    world.story.say(host.name, `OPERATOR ${words(what)}: ${outcome}: ${detail.message}`);
    return outcome;
  });
}

function perform(
  pair: Pair,
  what: Order,
  untilMs: number | null,
  header: ActHeader,
  view: () => View | null,
): Promise<ActResult> {
  const quiet = (): void => undefined;
  switch (what.verb) {
    case 'move': {
      const { to, unpin, address } = what;
      const act = { header, addresses: [address], to, toggle: false, unpin, untilMs };
      return move(pair, act, quiet, view);
    }
    case 'maintenance':
      return setMaintenance(pair, { header, node: what.node, on: what.on, untilMs }, quiet);
    case 'pause':
      return setAutomation(pair, { header, paused: what.on, untilMs }, quiet);
    case 'servers':
      return setServers(
        pair,
        { header, targets: [what.target], state: what.state, untilMs, wait: null },
        quiet,
      );
  }
}

/** What the verb promised is stored on every node: I5 holds the world to it. */
function acknowledge(world: World, pair: Pair, what: Order): void {
  for (const key of keysOf(what)) {
    const intent = pair.intents().get(key);
    if (intent !== undefined) world.acknowledged.set(key, intent);
  }
}

function keysOf(what: Order): string[] {
  switch (what.verb) {
    case 'move':
      return [pinKey(what.address)];
    case 'maintenance':
      return [maintenanceKey(what.node)];
    case 'pause':
      return [PAUSE_KEY];
    case 'servers': {
      const [backend = '', server = ''] = what.target.split('/');
      return [serverKey('', backend, server)];
    }
  }
}

function words(what: Order): string {
  switch (what.verb) {
    case 'move':
      return what.unpin
        ? `failback ${what.address}`
        : `failover ${what.address} to ${what.to ?? '?'}`;
    case 'maintenance':
      return `maintenance ${what.on ? 'on' : 'off'} ${what.node}`;
    case 'pause':
      return what.on ? 'pause' : 'resume';
    case 'servers':
      return `${what.state} ${what.target}`;
  }
}
