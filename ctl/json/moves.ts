import type { ActResult } from '../../agent/core/results.ts';
import { timeOrNull } from './wish.ts';

/** The `result` of `failover`, `failback` and `maintenance`. */
export interface MoveJson {
  readonly addresses: readonly {
    readonly address: string;
    readonly vhid: number;
    readonly vips: readonly string[];
    readonly from: string | null;
    readonly to: string;
    readonly outcome: string;
    readonly dark_ms_max: number | null;
    readonly sessions: number | null;
    readonly pin: {
      readonly node: string;
      readonly actor: string;
      readonly reason: string;
      readonly until: string | null;
    } | null;
  }[];
}

/** A pin that was taken back is none. */
export const moveResult = ({ addresses }: Pick<ActResult, 'addresses'>): MoveJson => ({
  addresses: addresses.map(
    ({ address, vhid, vips, from, to, outcome, darkMsMax, sessions, pin }) => ({
      address,
      vhid,
      vips,
      from: from === '' ? null : from,
      to,
      outcome,
      dark_ms_max: darkMsMax,
      sessions,
      pin:
        pin === null || pin.deleted
          ? null
          : {
              node: pin.value,
              actor: pin.actor,
              reason: pin.reason,
              until: timeOrNull(pin.untilWallMs),
            },
    }),
  ),
});
