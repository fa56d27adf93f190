import { ActFailure } from '../../agent/core/results.ts';

/** The failure of a call whose answer this proxyctl does not understand. */
export const notUnderstood = (what: string, cause: string, changes: boolean): ActFailure =>
  new ActFailure(changes ? 'result-unknown' : 'failed', {
    code: 'bad_answer',
    message: `${what}: the answer is not understood`,
    cause,
    remediation:
      'proxyctl and agent may be of different versions: proxyctl --version on both hosts',
  });
