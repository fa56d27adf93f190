import { isCalled } from '../agent/core/addresses.ts';
import { ActFailure } from '../agent/core/results.ts';
import type { Remembered } from './complete/cache.ts';
import { duration } from './render/duration.ts';
import { displayWidth, padded } from './render/width.ts';
import { wrapped } from './render/wrapped.ts';

/** One line to type, and where. */
interface Step {
  readonly node: string;
  readonly command: string;
  readonly why: string;
}

/** How one address is moved where no agent works. */
export interface HandMove {
  readonly address: string;
  /** Null: nobody was seen as MASTER. */
  readonly from: string | null;
  readonly to: string;
  readonly steps: readonly Step[];
}

/** Goes on a command line, although a peer said it. */
const isPlain = (name: string): boolean => /^[A-Za-z0-9][\w.:-]{0,31}$/.test(name);
type Seen = Remembered['addresses'][number];
const base = ({ baseAdvskew, advskew }: Seen): number => baseAdvskew ?? advskew;

/**
 * The card for the night with the names and numbers of this pair: lowered where it was, taken where
 * it is to be, each with the advskew that is configured there. `named`: empty for all; `to`: null
 * for the other node, 'preferred' for the one with the lowest base. Throws ActFailure for an
 * address or node that was not there.
 */
export function handMoves(
  { addresses, nodes }: Pick<Remembered, 'addresses' | 'nodes'>,
  named: readonly string[],
  to: string | null,
  preferred = false,
): HandMove[] {
  if (to !== null && !nodes.includes(to)) throw absent(`there was no node ${to}`, nodes);
  const ids = [...new Set(addresses.map(({ address }) => address))];
  const called = (one: Seen): boolean =>
    named.length === 0 || named.some((name) => isCalled({ ...one, id: one.address }, name));
  for (const name of named)
    if (!addresses.some((one) => isCalled({ ...one, id: one.address }, name)))
      throw absent(`no address was called ${name}`, ids);
  return ids.flatMap((id) => {
    const own = addresses
      .filter((one) => one.address === id && called(one) && isPlain(one.interface))
      .sort((a, b) => base(a) - base(b) || (a.node < b.node ? -1 : 1));
    const from = own.find(({ state }) => state === 'MASTER');
    const taker =
      own.find(({ node }) => node === to) ??
      (to === null ? own.find(({ node }) => preferred || node !== from?.node) : undefined);
    if (taker === undefined || taker.node === from?.node) return [];
    const line = (one: Seen, rest: string): string =>
      `ifconfig ${one.interface} vhid ${one.vhid} advskew ${rest}`;
    const steps: Step[] = [
      ...(from === undefined
        ? []
        : [{ node: from.node, command: line(from, '254'), why: 'it was MASTER: lowered' }]),
      { node: taker.node, command: line(taker, `${base(taker)} state master`), why: 'takes it' },
      {
        node: taker.node,
        command: `ifconfig ${taker.interface} | grep carp:`,
        why: 'look, on every node: one MASTER',
      },
      ...(from === undefined
        ? []
        : [
            {
              node: from.node,
              command: line(from, `${base(from)} state master`),
              why: 'only when it shall go back',
            },
          ]),
    ];
    return [{ address: id, from: from?.node ?? null, to: taker.node, steps }];
  });
}

const absent = (message: string, there: readonly string[]): ActFailure =>
  new ActFailure('not-found', {
    code: 'not_found',
    message,
    remediation: there.length === 0 ? '' : `there were ${there.join(', ')}`,
  });

const WITHOUT = `Nothing is remembered of this pair here. On the hosts, with interface IF, vhid N
and the configured advskew of each from \`ifconfig\`:
  where it is         ifconfig IF vhid N advskew 254
  where it shall be   ifconfig IF vhid N advskew ITS_OWN state master
  then on both        ifconfig IF | grep carp:
`;

/** The lines to type, with the age of what they stand on. `remembered` null: the card without names. */
export function handScreen(
  remembered: Remembered | null,
  moves: readonly HandMove[],
  nowMs: number,
): string {
  if (remembered === null) return WITHOUT;
  const age = duration(Math.max(0, nowMs - remembered.atMs));
  const head = wrapped(
    `By hand, where no agent works, in this order; as the addresses were seen ${age} ago:`,
    2,
  );
  if (moves.length === 0) return `${head}\n  nothing is to be moved: it is there\n`;
  const parts = moves.map(({ address, from, to, steps }) => {
    const width = Math.max(...steps.map(({ node }) => displayWidth(node)));
    const lines = steps.flatMap(({ node, command, why }) => [
      `  # on ${padded(node, width)}  ${why}`,
      `  ${command}`,
    ]);
    return [`${address} from ${from ?? 'nobody'} to ${to}`, ...lines].join('\n');
  });
  return `${head}\n\n${parts.join('\n\n')}\n`;
}
