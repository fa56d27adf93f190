import * as fault from './faults.ts';
import * as field from './field-faults.ts';
import type { Host } from './host.ts';
import { BACKENDS, SERVERS } from './haproxy.ts';
import { order, type Order } from './operators.ts';
import { random, type Random } from './random.ts';
import type { World, WorldOptions } from './world.ts';

const VHIDS = [
  { vhid: 1, advskew: [10, 100, 150], vips4: ['192.0.2.200'], vips6: ['2001:db8::200'] },
  { vhid: 2, advskew: [100, 10, 150], vips4: ['192.0.2.201'], vips6: [] },
];

/** What the field brings; a clock behind is drawn as what a crash does to the disk. */
const DRAWN = [
  'one-way',
  'port-closed',
  'demotion',
  'soft-stop',
  'reload',
  'not-asked',
  'reboot',
  'clone',
] as const;
export type FieldKind = (typeof DRAWN)[number] | 'clock-behind';

/** The kind of that name; throws TypeError for none. */
export function fieldKind(name: string): FieldKind {
  const found = ([...DRAWN, 'clock-behind'] as const).find((one) => one === name);
  if (found === undefined) throw new TypeError(`no kind is called ${name}`);
  return found;
}

/** The pair or three of one seed. */
export function optionsFor(seed: number, nodes: number | null): WorldOptions {
  const dice = random(seed ^ 0x51ab);
  return {
    seed,
    nodes: nodes ?? (dice.chance(0.85) ? 2 : 3),
    preempt: dice.chance(0.3),
    policy: { failback: dice.chance(0.75) ? 'auto' : 'manual' },
    management: dice.chance(0.5),
    vhids: dice.chance(0.8) ? VHIDS.slice(0, 1) : VHIDS,
  };
}

/**
 * Storms of faults and orders with calm between them, until `endMs`: in a storm
 * several things go wrong at once, in the calm everything has to come right. `often`: in most
 * of them for long that goes wrong.
 */
export function storms(world: World, endMs: number, often: FieldKind | null = null): void {
  // Chance of its own: what the world draws must not change what goes wrong.
  const dice = random(world.options.seed ^ 0x2c1b3c6d);
  let atMs = world.nowMs + dice.between(1000, 5000);
  while (atMs < endMs - 75_000) {
    const ms = dice.between(5000, 40_000);
    const count = 1 + Math.floor(dice.next() ** 2 * 5);
    if (often !== null) provoke(world, dice, often, atMs);
    for (let number = 0; number < count; number++) {
      const startMs = atMs + dice.between(0, ms);
      const lastsMs = dice.chance(0.4) ? dice.between(50, 3000) : dice.between(1000, ms);
      const what = dice.chance(0.3) ? orderFrom(world, dice) : faultFrom(world, dice);
      world.in(startMs - world.nowMs, () => what(lastsMs));
    }
    atMs += 2 * ms + dice.between(45_000, 70_000);
  }
}

type Happens = (lastsMs: number) => void;

/** Faults of one kind through a whole storm, and an HAProxy that is dead meanwhile. */
function provoke(world: World, dice: Random, often: FieldKind, atMs: number): void {
  const host = dice.pick(world.hosts);
  const other = dice.pick(world.hosts.filter((one) => one !== host));
  for (const what of [fieldKindsOf(world, host, other)[often], () => deadHaproxy(world, dice)])
    if (dice.chance(0.7)) {
      const happens = what();
      const startMs = atMs + dice.between(0, 8000);
      world.in(startMs - world.nowMs, () => happens(dice.between(20_000, 40_000)));
    }
}

function deadHaproxy(world: World, dice: Random): Happens {
  const host = dice.pick(world.hosts);
  return (lastsMs) => fault.during(world, lastsMs, fault.haproxyDead(host));
}

function fieldKindsOf(
  world: World,
  host: Host,
  other: Host,
): Readonly<Record<FieldKind, () => Happens>> {
  const during = (make: () => fault.Fault): Happens => {
    return (lastsMs) => fault.during(world, lastsMs, make());
  };
  return {
    'one-way': () => during(() => fault.gossipOneWay(world, host, other)),
    'port-closed': () => during(() => fault.portClosed(world)),
    demotion: () => during(() => fault.sendError(host)),
    'soft-stop': () => during(() => field.haproxySoftStopped(host)),
    reload: () => () => field.haproxyReloaded(world, host),
    'not-asked': () => during(() => field.haproxyUnknown(host)),
    reboot: () => during(() => field.rebooted(world, host)),
    clone: () =>
      during(() => field.cloned(world, host, world.options.seed % 2 === 0 ? 'alike' : 'later')),
    'clock-behind': () => during(() => fault.hostCrashed(world, host, 'behind')),
  };
}

function faultFrom(world: World, dice: Random): Happens {
  const host = dice.pick(world.hosts);
  const other = dice.pick(world.hosts.filter((one) => one !== host));
  const during = (make: () => fault.Fault): Happens => {
    return (lastsMs) => fault.during(world, lastsMs, make());
  };
  const fieldKinds = fieldKindsOf(world, host, other);
  const kinds: readonly (() => Happens)[] = [
    () => during(() => fault.agentKilled(host, dice.chance(0.7) ? 'kill' : 'stop')),
    () => during(() => fault.agentFrozen(host)),
    () => during(() => fault.starved(world, host)),
    () => crash(world, dice, host),
    () => crash(world, dice, host),
    () => during(() => fault.hostCut(world, host)),
    () => during(() => fault.hostCut(world, host)),
    () => during(() => fault.linkDown(host)),
    () => {
      const loss = dice.chance(0.5) ? 1 : dice.between(0.1, 0.8);
      const way = dice.chance(0.5) ? {} : { from: host.name, to: other.name };
      const family = dice.pick([undefined, 4, 6] as const);
      return during(() =>
        fault.advertsLost(world, loss, { ...way, ...(family ? { family } : {}) }),
      );
    },
    () =>
      during(() =>
        dice.chance(0.6) ? fault.gossipCut(world) : fault.gossipCut(world, host.name, other.name),
      ),
    () => {
      const ms = dice.between(20, 900);
      return during(() => fault.gossipSlow(world, ms));
    },
    () => () => fault.connectionsReset(world, dice.chance(0.7) ? 'reset' : 'ended'),
    () => during(() => fault.haproxyDead(host)),
    () => during(() => fault.haproxyDead(host)),
    () => during(() => fault.haproxyHung(host)),
    () => () => fault.haproxyRestarted(world, host),
    () => {
      const name = dice.pick(BACKENDS);
      const hosts = dice.chance(0.3) ? world.hosts : [host];
      return during(() => fault.backendDown(hosts, name));
    },
    () => {
      const ms = dice.between(20, 1500);
      return during(() => fault.slowTools(host, ms));
    },
    () => during(() => fault.diskFull(host)),
    () => during(() => fault.devdGone(host)),
    () => {
      const ms = dice.pick([1, -1]) * dice.delay(200, 7_200_000);
      return () => fault.clockSteps(world, host, ms);
    },
    () => {
      const ms = dice.delay(100, 8000);
      return () => fault.during(world, ms, fault.machinePaused(host));
    },
    () => during(() => fault.echoFiltered(world)),
    ...DRAWN.map((kind) => fieldKinds[kind]),
  ];
  return dice.pick(kinds)();
}

function crash(world: World, dice: Random, host: Host): Happens {
  const disk = dice.pick(['kept', 'kept', 'kept', 'torn', 'empty', 'old', 'behind'] as const);
  return (lastsMs) => fault.during(world, lastsMs, fault.hostCrashed(world, host, disk));
}

function orderFrom(world: World, dice: Random): Happens {
  const asked = dice.pick(world.hosts);
  const node = dice.pick(world.hosts).name;
  const { vhid } = dice.pick(world.options.vhids);
  const address = `${vhid}@vtnet0`;
  const target = `${dice.pick(BACKENDS)}/${dice.pick(SERVERS)}`;
  const state = dice.pick(['drain', 'drain', 'ready', 'maint'] as const);
  const on = dice.chance(0.5);
  const orders: readonly Order[] = [
    { verb: 'move', address, to: node, unpin: false },
    { verb: 'move', address, to: node, unpin: false },
    { verb: 'move', address, to: null, unpin: true },
    { verb: 'move', address, to: null, unpin: true },
    { verb: 'maintenance', node, on },
    { verb: 'maintenance', node, on: false },
    { verb: 'pause', on },
    { verb: 'pause', on: false },
    { verb: 'servers', target, state },
    { verb: 'servers', target, state },
  ];
  const what = dice.pick(orders);
  const untilMs = dice.chance(0.2) ? Math.round(dice.between(3000, 60_000)) : null;
  return () => void order(world, asked, what, untilMs);
}
