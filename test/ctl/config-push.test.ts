import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ConfigPushAct } from '../../agent/core/acts.ts';
import type { DeployState } from '../../agent/core/deploy/deployments.ts';
import { unverified } from '../../agent/core/deploy/read.ts';
import type { ActResult } from '../../agent/core/results.ts';
import { desk, envelope, overTls, unbroken } from './command.ts';
import { statusOf } from './statuses.ts';

const version = (number: number, more = {}) => ({
  number,
  who: 'anna',
  madeS: 1_800_000_000,
  installedS: 1_800_000_060,
  digest: `d${number}`,
  before: `d${number - 1}`,
  reason: 'more room',
  ...more,
});
const STATE: DeployState = {
  digest: 'd7',
  form: 'file',
  last: 7,
  state: 'kept',
  versions: [version(7), version(6, { who: 'bea', reason: '' })],
};
const VERSIONS = {
  node: 'haproxy01',
  nodes: [
    { node: 'haproxy01', problem: '', state: STATE },
    { node: 'haproxy02', problem: '', state: { ...STATE, last: 9, digest: 'other' } },
  ],
};

/** Agents that push and end so; and what was asked of them. */
function pushing(change: Partial<ActResult> = {}) {
  const acts: ConfigPushAct[] = [];
  return {
    acts,
    status: () => Promise.resolve(statusOf()),
    configVersions: () => Promise.resolve(VERSIONS),
    pushConfig: (act: ConfigPushAct): Promise<ActResult> => {
      acts.push(act);
      return Promise.resolve({
        outcome: 'reached',
        changed: true,
        requestId: act.header.requestId,
        node: 'haproxy01',
        tookMs: 5,
        nodes: [
          { node: 'haproxy02', ok: true, changed: true, error: null },
          { node: 'haproxy01', ok: true, changed: true, error: null },
        ],
        error: null,
        addresses: [],
        servers: [],
        certificates: [],
        config: {
          number: 10,
          nodes: [
            { node: 'haproxy02', outcome: 'installed' },
            { node: 'haproxy01', outcome: 'installed' },
          ],
        },
        ...change,
      });
    },
  };
}

test('what is pushed is signed with a number of its own, for an hour, with its reason', async (t) => {
  const control = pushing();
  const { run, world } = await desk(t, control, overTls('admin'));
  const file = join(world.folder, 'haproxy.conf');
  writeFileSync(file, 'global\n');
  const { code, stdout } = await run([
    'config',
    'push',
    file,
    '--reason',
    'kernel update',
    '--settle',
    '3s',
    '--accept-risk=local-changes',
  ]);
  t.deepEqual(
    [code, stdout],
    [
      0,
      'NODE       RESULT     VERSION\n' +
        'haproxy02  installed  10\n' +
        'haproxy01  installed  10\n',
    ],
  );
  const [act] = control.acts;
  t.like(act, {
    settleMs: 3000,
    header: { reason: 'kernel update', acceptRisks: ['local-changes'] },
  });
  const { madeS, untilS, files, number, ...rest } = unverified(act?.message ?? new Uint8Array());
  t.deepEqual(rest, {
    purpose: 'push',
    pair: statusOf().pair,
    nodes: ['haproxy01', 'haproxy02'],
    form: 'file',
    reason: 'kernel update',
  });
  t.is(untilS - madeS, 3600);
  // By the clock, and above what the other node has begun.
  t.true(number > 1_700_000_000_000);
  t.is(files.length, 1);
});

test('a refusal has its exit code, its cause and what to do; JSON has the outcome of each node', async (t) => {
  const error = {
    code: 'not_served',
    message: 'not pushed: haproxy01 refused, every node has its old configuration',
    cause: 'HAProxy on haproxy01 does not serve as before after its reload: not open: www',
    remediation: 'on haproxy01: what service haproxy reload and its log say',
    retryable: false,
  };
  const control = pushing({
    outcome: 'failed',
    changed: false,
    error,
    config: {
      number: 10,
      nodes: [
        { node: 'haproxy02', outcome: 'rolled-back' },
        { node: 'haproxy01', outcome: 'rolled-back' },
      ],
    },
  });
  const { run, world } = await desk(t, control, overTls('admin'));
  const file = join(world.folder, 'haproxy.conf');
  writeFileSync(file, 'global\n');
  const { code, stderr } = await run(['config', 'push', file]);
  t.is(code, 1);
  t.is(
    unbroken(stderr),
    `proxyctl: ${error.message}\n  cause   ${error.cause}\n  do      ${error.remediation}\n`,
  );
  const json = await run(['config', 'push', file, '-o', 'json']);
  t.like(envelope(json.stdout), { verb: 'config push', ok: false, error: { code: 'not_served' } });
});

test('a role below admin is refused, and a settle time without an end is a mistake', async (t) => {
  const control = pushing();
  const operator = await desk(t, control, overTls('operator'));
  const file = join(operator.world.folder, 'haproxy.conf');
  writeFileSync(file, 'global\n');
  t.is((await operator.run(['config', 'push', file])).code, 4);
  t.is((await operator.run(['config', 'push', file, '--settle', '2h'])).code, 2);
  t.deepEqual(control.acts, []);
});

test('the history: each version of each node, the newest first, and what was changed by hand', async (t) => {
  const { run } = await desk(t, pushing(), overTls('viewer'));
  const { code, stdout } = await run(['config', 'history']);
  t.deepEqual(
    [code, stdout],
    [
      0,
      'VERSION  NODE       STATE     INSTALLED (UTC)   BY    REASON\n' +
        '7        haproxy01  in force  2027-01-15 08:01  anna  more room\n' +
        '7        haproxy02  in force  2027-01-15 08:01  anna  more room\n' +
        '6        haproxy01            2027-01-15 08:01  bea\n' +
        '6        haproxy02            2027-01-15 08:01  bea\n' +
        'changed   haproxy02: by hand since: proxyctl config diff\n',
    ],
  );
  const json = envelope((await run(['config', 'history', '-o', 'json'])).stdout);
  t.like(json, {
    ok: true,
    result: { nodes: [{ node: 'haproxy01', state: 'kept', changed: false }, { changed: true }] },
  });
});
