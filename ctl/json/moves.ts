import type { ActResult } from '../../agent/core/results.ts';
import { time } from './status.ts';

/** The `result` of a move. */
export const moveResult = ({ addresses }: ActResult): unknown => ({
  addresses: addresses.map(({ address, vhid, vips, from, to, outcome, darkMsMax, pin }) => ({
    address,
    vhid,
    vips,
    from: from === '' ? null : from,
    to,
    outcome,
    dark_ms_max: darkMsMax,
    pin:
      pin === null || pin.deleted
        ? null
        : {
            node: pin.value,
            actor: pin.actor,
            reason: pin.reason,
            until: pin.untilWallMs === null ? null : time(pin.untilWallMs),
          },
  })),
});
