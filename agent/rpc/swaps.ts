import type { SwapPrepare, SwapReading } from '../core/acts.ts';
import type { proxyctl } from '../../proto/gen/messages.js';
import { RISKS } from '../core/acts.ts';
import { each, filled, oneOf, orNull } from './wire.ts';

/** What a swap asks of a node first, as it travels. */
export function swapPrepareToWire(swap: SwapPrepare): proxyctl.v1.SwapPrepareRequest.$Properties {
  const { path, pem, acceptRisks, ...rest } = swap;
  return { ...rest, path: path ?? '', pem: Buffer.from(pem), acceptRisks: [...acceptRisks] };
}

/** Throws WireError. */
export function swapPrepareFromWire(wire: proxyctl.v1.SwapPrepareRequest): SwapPrepare {
  return {
    swapId: filled('swap_id', wire.swapId),
    path: orNull(wire.path),
    pem: filled('pem', Buffer.from(wire.pem).toString('utf8')),
    dryRun: wire.dryRun,
    acceptRisks: each('accept_risks', wire.acceptRisks, (risk, at) => oneOf(at, risk, RISKS)),
  };
}

/** A node's answer to a step of a swap, as it travels. */
export const swapToWire = (swap: SwapReading): proxyctl.v1.SwapReply.$Properties => ({
  ...swap,
  names: [...swap.names],
  warnings: [...swap.warnings],
});

/** Throws WireError. */
export function swapFromWire(wire: proxyctl.v1.SwapReply): SwapReading {
  const { path, fingerprintBefore, fingerprint, notAfter, names, warnings } = wire;
  const node = filled('node', wire.node);
  return { node, path, fingerprintBefore, fingerprint, notAfter, names, warnings };
}
