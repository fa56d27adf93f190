import test from 'ava';
import type { PushAct } from '../../agent/core/acts.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { pushCertificate } from '../../agent/verbs/push.ts';
import { FakeClock } from '../fake-clock.ts';
import { memberOf, pairOf } from '../scripted.ts';

const act: PushAct = {
  header: {
    requestId: 'one',
    actor: 'ann',
    reason: '',
    acceptRisks: [],
    dryRun: false,
    timeoutMs: null,
    seen: null,
  },
  bundles: [{ path: '/site.pem', pem: '' }],
};

const dropped = (): Promise<never> =>
  Promise.reject(
    new ActFailure('result-unknown', { code: 'no_answer', message: 'Connection dropped' }),
  );

test('a node that is lost while bundles are checked changes nothing: unreachable, not unknown', async (t) => {
  const forgotten: string[] = [];
  const here = memberOf('haproxy01', {
    swapPrepare: () => Promise.resolve({ node: 'haproxy01', certificates: [] }),
    swapAbort: () => Promise.resolve({ node: 'haproxy01', certificates: [] }),
  });
  const there = memberOf('haproxy02', { swapPrepare: dropped, swapAbort: dropped });
  const pair = pairOf([here, there], {
    clock: new FakeClock(),
    certificateName: (path) => path,
    forgetSwap: (id) => Promise.resolve(void forgotten.push(id)),
  });
  const error = {
    code: 'agent_unreachable',
    message: 'not pushed: the agent on haproxy02 did not answer, and nothing was changed',
    cause: 'Connection dropped',
    remediation: 'on haproxy02: service proxyagent status; then push again',
    retryable: true,
  };
  const {
    outcome,
    changed,
    error: said,
    nodes,
  } = await pushCertificate(pair, act, () => undefined);
  t.deepEqual(
    { outcome, changed, error: said, nodes, forgotten },
    {
      outcome: 'unreachable',
      changed: false,
      error,
      nodes: [
        { node: 'haproxy01', ok: true, changed: false, error: null },
        {
          node: 'haproxy02',
          ok: false,
          changed: false,
          error: {
            code: 'no_answer',
            message: 'Connection dropped',
            cause: '',
            remediation: '',
            retryable: false,
          },
        },
      ],
      // It is asked again when it is back.
      forgotten: [],
    },
  );
});
