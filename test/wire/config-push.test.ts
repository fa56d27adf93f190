import test from 'ava';
import { proxyctl } from '../../proto/gen/messages.js';
import type { PushPrepare } from '../../agent/core/deploy/push-messages.ts';
import type { ConfigVersions } from '../../agent/core/deploy/versions.ts';
import {
  configPushFromWire,
  configPushToWire,
  pushPrepareFromWire,
  pushPrepareToWire,
  pushReadingFromWire,
  pushReadingToWire,
  pushStepFromWire,
  versionsFromWire,
  versionsToWire,
} from '../../agent/wire/config-push.ts';
import { WireError } from '../../agent/wire/fields.ts';

const wire = proxyctl.v1;
const HEADER = {
  requestId: 'r',
  actor: 'anna',
  reason: 'more room',
  acceptRisks: ['local-changes' as const],
  dryRun: true,
  timeoutMs: null,
  seen: null,
};

test('a push, what it asks of a node and what that says arrive as they were said', (t) => {
  const act = { header: HEADER, message: Buffer.from('signed'), settleMs: 10_000 };
  const { PushConfigRequest, PushPrepareRequest, PushReply } = wire;
  const sent = PushConfigRequest.encode(PushConfigRequest.create(configPushToWire(act))).finish();
  t.deepEqual(configPushFromWire(PushConfigRequest.decode(sent)), act);
  const prepare: PushPrepare = {
    pushId: 'one',
    message: Buffer.from('signed'),
    dryRun: false,
    acceptRisks: ['local-changes'],
    coordinator: 'haproxy01',
    members: ['haproxy02', 'haproxy01'],
    settleMs: 10_000,
    actor: 'anna',
    reason: 'more room',
  };
  const asked = PushPrepareRequest.encode(
    PushPrepareRequest.create(pushPrepareToWire(prepare)),
  ).finish();
  t.deepEqual(pushPrepareFromWire(PushPrepareRequest.decode(asked)), prepare);
  const reading = { node: 'haproxy02', number: 7, already: true, lines: ['[NOTICE] one'] };
  const said = PushReply.encode(PushReply.create(pushReadingToWire(reading))).finish();
  t.deepEqual(pushReadingFromWire(PushReply.decode(said)), reading);
});

test('what no push can ask is refused: a step that is none, a time without an end, a number with a fraction', (t) => {
  const step = wire.PushStepRequest.create({ pushId: 'one', step: 'install' });
  t.deepEqual(pushStepFromWire(step), { pushId: 'one', step: 'install' });
  for (const bad of [
    () => pushStepFromWire(wire.PushStepRequest.create({ pushId: 'one', step: 'prepare' })),
    () => pushStepFromWire(wire.PushStepRequest.create({ pushId: '', step: 'back' })),
    () =>
      configPushFromWire(
        wire.PushConfigRequest.create(
          configPushToWire({ header: HEADER, message: Buffer.from('x'), settleMs: 60_001 }),
        ),
      ),
    () => pushReadingFromWire(wire.PushReply.create({ node: 'a', number: 1.5 })),
    () => pushReadingFromWire(wire.PushReply.create({ node: 'a', number: -1 })),
  ])
    t.throws(bad, { instanceOf: WireError });
});

test('the versions of every node arrive with who, when and why', (t) => {
  const versions: ConfigVersions = {
    node: 'haproxy01',
    nodes: [
      {
        node: 'haproxy01',
        problem: '',
        state: {
          digest: 'aa',
          form: 'directory',
          last: 8,
          state: 'back',
          versions: [
            {
              number: 8,
              who: 'anna',
              madeS: 1_800_000_000,
              installedS: 1_800_000_001,
              digest: 'bb',
              before: 'aa',
              reason: 'more room',
            },
          ],
        },
      },
      { node: 'haproxy02', problem: 'no answer', state: null },
    ],
  };
  const { ConfigVersionsReply } = wire;
  const pieces = [...versionsToWire(versions)].map((one) =>
    ConfigVersionsReply.decode(
      ConfigVersionsReply.encode(ConfigVersionsReply.create(one)).finish(),
    ),
  );
  t.deepEqual(versionsFromWire(pieces), versions);
});
