import { Draft } from './draft.ts';
import { find, type Change, type Kernel, type Vhid } from './kernel.ts';

const MAX_ERRORS = 3;
const MIN_SUCCESSES = 3;

/**
 * carp_send_ad_error: one advert of the vhid left (null), or could not. Three
 * errors in a row demote the host, three successes take that back. Not on 13.0:
 * there the first success forgets the errors, and what was added stays.
 */
export function reportSend(
  kernel: Kernel,
  name: string,
  vhid: number,
  errno: number | null,
  nowMs: number,
): Change {
  const draft = new Draft(kernel, nowMs);
  const known = find(kernel, name, vhid);
  if (known === undefined) return draft.change();
  if (errno === null) succeeded(draft, known);
  else failed(draft, known, errno);
  return draft.change();
}

function failed(draft: Draft, vhid: Vhid, errno: number): void {
  const sendErrors = vhid.sendErrors + 1;
  draft.put(vhid, { sendErrors, sendSuccesses: 0 });
  if (sendErrors === MAX_ERRORS)
    draft.demote(draft.kernel.senderrFactor, `send error ${errno} on ${vhid.interface}`);
}

function succeeded(draft: Draft, vhid: Vhid): void {
  const { sendErrors } = vhid;
  if (sendErrors === 0) return;
  const sendSuccesses = vhid.sendSuccesses + 1;
  if (draft.kernel.release === 13 || sendSuccesses >= MIN_SUCCESSES)
    draft.put(vhid, { sendErrors: 0, sendSuccesses });
  else draft.put(vhid, { sendSuccesses });
  if (sendSuccesses >= MIN_SUCCESSES && sendErrors >= MAX_ERRORS)
    draft.demote(-draft.kernel.senderrFactor, `send ok on ${vhid.interface}`);
}
