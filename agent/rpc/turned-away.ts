import type { Audit } from '../core/audit/audit.ts';
import type { ActFailure } from '../core/results.ts';
import { callerOf, type Calling, type Origin } from './access.ts';
import type { Notices } from './notices.ts';
import { toFailure } from './failures.ts';

/**
 * A call of `what` that is not let in, as the failure its caller gets. It goes on record; into the
 * log only as long as that caller has not filled it.
 */
export function turnedAway(
  {
    origin,
    audit,
    notices,
  }: { readonly origin: Origin; readonly audit: Audit; readonly notices: Notices },
  call: Calling,
  what: string,
  error: unknown,
): ActFailure {
  const failure = toFailure(error, what);
  const { code, message } = failure.detail;
  const caller = callerOf(origin, call);
  if (audit.refused({ ...caller, what, code, message }))
    notices.refused(caller.from, what, failure.message);
  return failure;
}
