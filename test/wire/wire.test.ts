import test from 'ava';
import * as fc from 'fast-check';
import { proxyctl } from '../../proto/gen/messages.js';
import { ActFailure } from '../../agent/core/results.ts';
import { challengeFromWire, challengeToWire } from '../../agent/wire/acts.ts';
import { moveFromWire, moveToWire, serversFromWire, serversToWire } from '../../agent/wire/acts.ts';
import { weightsFromWire, weightsToWire } from '../../agent/wire/acts.ts';
import { DEADLINES } from '../../agent/core/acts.ts';
import { failureFromStatus } from '../../agent/wire/failed-calls.ts';
import { failureToStatus, toFailure } from '../../agent/rpc/failures.ts';
import { gossipFromWire, gossipToWire } from '../../agent/wire/gossip.ts';
import { intentFromWire, intentToWire } from '../../agent/wire/intents.ts';
import { reportToWire } from '../../agent/wire/reports.ts';
import { resultFromWire, resultToWire } from '../../agent/wire/results.ts';
import { statusFromWire, statusToWire } from '../../agent/wire/status.ts';
import { serverFromWire, serverToWire } from '../../agent/wire/servers.ts';
import { swapFromWire } from '../../agent/wire/swaps.ts';
import { swapPrepareFromWire, swapPrepareToWire, swapToWire } from '../../agent/wire/swaps.ts';
import { WireError } from '../../agent/wire/fields.ts';
import { address } from '../reports.ts';
import { AT, gossip, header, outcome, report, result, status } from './arbitrary.ts';

const { SetWeightsRequest } = proxyctl.v1;
const { GossipMessage, Intent, MoveRequest, NodeReport, Result, ServerState, SetServersRequest } =
  proxyctl.v1;
const { SetChallengeRequest, StatusReply, SwapPrepareRequest, SwapReply } = proxyctl.v1;

/** Encodes and decodes as the wire does. */
function carry<M, P>(
  type: { encode(message: P): { finish(): Uint8Array }; decode(bytes: Uint8Array): M },
  ...pieces: readonly P[]
): M {
  return type.decode(Buffer.concat(pieces.map((one) => type.encode(one).finish())));
}

const sample = fc.sample(report, { numRuns: 1, seed: 7 })[0];
/** A full report as it travels, to be damaged. */
const wireReport = (damage: (wire: proxyctl.v1.NodeReport.$Properties) => void) => {
  if (sample === undefined) throw new Error('no sample');
  const wire = reportToWire({ ...sample, node: 'haproxy02', addresses: [address()] }, AT.nowMs);
  damage(wire);
  return carry(GossipMessage, { report: { report: wire, ageMs: 3 } });
};

test('gossip comes out of the wire as it went in', (t) => {
  fc.assert(
    fc.property(gossip, (message) => {
      t.deepEqual(gossipFromWire(carry(GossipMessage, gossipToWire(message, AT)), AT), message);
    }),
    { numRuns: 300 },
  );
});

test('results and statuses come out of the wire as they went in', (t) => {
  fc.assert(
    fc.property(result, status, (result, status) => {
      const wire = carry(Result, resultToWire(result, AT.wallMs));
      t.deepEqual(resultFromWire(wire, AT.wallMs), result);
      t.deepEqual(statusFromWire(carry(StatusReply, ...statusToWire(status, AT)), AT), status);
    }),
    { numRuns: 200 },
  );
});

test('acts and swap messages come out of the wire as they went in', (t) => {
  const word = fc.string({ minLength: 1 });
  /** Repeats are taken once: a test of its own. */
  const words = fc.uniqueArray(word);
  const ms = fc.option(fc.integer({ min: 0, max: 0xffff_ffff }));
  const move = fc.record({
    header,
    addresses: words,
    to: fc.option(word),
    toggle: fc.boolean(),
    unpin: fc.boolean(),
    untilMs: ms,
  });
  const state = fc.constantFrom('ready' as const, 'drain' as const, 'maint' as const);
  const admin = fc.oneof(state, fc.constant('unknown' as const));
  const wait = fc.option(fc.constantFrom(...DEADLINES));
  const servers = fc.record({ header, targets: words, state, untilMs: ms, wait });
  const weights = fc.record({
    header,
    targets: words,
    weight: fc.option(word),
    untilMs: ms,
  });
  const text = fc.string();
  const names = fc.uniqueArray(text);
  const prepare = fc.record({
    swapId: word,
    bundles: fc.array(
      fc.record(
        {
          path: fc.option(word),
          pem: fc.string({ unit: 'binary', minLength: 1 }),
          into: fc.record({ list: word, filters: words }),
        },
        { requiredKeys: ['path', 'pem'] },
      ),
    ),
    dryRun: fc.boolean(),
    acceptRisks: header.map(({ acceptRisks }) => acceptRisks),
    coordinator: word,
    members: words,
    stamp: fc.record({ wallMs: fc.nat(), count: fc.nat(), node: word }),
    actor: text,
    reason: text,
  });
  const certificate = fc.record({
    name: text,
    path: text,
    fingerprintBefore: text,
    fingerprint: text,
    notAfter: text,
    names,
    warnings: names,
    sha256: text,
  });
  const reading = fc.record({ node: word, certificates: fc.array(certificate) });
  const figure = fc.option(fc.maxSafeNat());
  const server = fc.record({
    backend: word,
    name: word,
    status: text,
    admin,
    adminBits: fc.nat(127),
    weight: fc.nat(256),
    initialWeight: fc.nat(256),
    sessions: fc.nat(),
    queued: fc.nat(),
    total: fc.maxSafeNat(),
    check: text,
    backup: fc.boolean(),
    older: fc.nat(9),
    uncounted: fc.nat(9),
    agentChecked: fc.boolean(),
    stateFile: fc.boolean(),
    address: fc.option(fc.ipV6()),
    figures: fc.record({
      connectErrors: figure,
      responseErrors: figure,
      http5xx: figure,
      bytesIn: figure,
      bytesOut: figure,
      responseMs: figure,
    }),
  });
  const challenge = fc.record({
    header,
    token: word,
    keyAuthorization: fc.option(word),
    domain: text,
  });
  fc.assert(
    fc.property(
      move,
      servers,
      prepare,
      reading,
      server,
      weights,
      challenge,
      (m, s, p, r, v, w, c) => {
        t.deepEqual(weightsFromWire(carry(SetWeightsRequest, weightsToWire(w))), w);
        t.deepEqual(challengeFromWire(carry(SetChallengeRequest, challengeToWire(c))), c);
        t.deepEqual(moveFromWire(carry(MoveRequest, moveToWire(m))), m);
        t.deepEqual(serversFromWire(carry(SetServersRequest, serversToWire(s))), s);
        t.deepEqual(swapPrepareFromWire(carry(SwapPrepareRequest, swapPrepareToWire(p))), p);
        t.deepEqual(swapFromWire(carry(SwapReply, swapToWire(r))), r);
        t.deepEqual(serverFromWire(carry(ServerState, serverToWire(v)), 'server'), v);
      },
    ),
    { numRuns: 200 },
  );
});

test('an age travels, not a time: the receiver counts from its own clocks', (t) => {
  const key = 'pause';
  const stamp = { wallMs: 1, count: 0, node: 'a' };
  const intent = { key, value: 'on', deleted: false, stamp, actor: '', reason: '', requestId: '' };
  const sent = carry(Intent, intentToWire({ ...intent, untilWallMs: 61_000 }, 1000));
  t.is(sent.remainingMs, 60_000);
  t.is(intentFromWire(sent, 500_000, 'intent').untilWallMs, 560_000);
  const wire = wireReport((report) => (report.healthAgeMs = 250));
  const heard = gossipFromWire(wire, { nowMs: 10_000, wallMs: 0 });
  t.is(heard.kind === 'report' && heard.report.healthSinceMs, 9750);
});

test('an age that cannot be carried is clamped', (t) => {
  if (sample === undefined) throw new Error('no sample');
  const ageOf = (healthSinceMs: number) =>
    carry(NodeReport, reportToWire({ ...sample, healthSinceMs }, 1000)).healthAgeMs;
  t.deepEqual([ageOf(2000), ageOf(-5e12), ageOf(Number.NaN), ageOf(999.6)], [0, 2 ** 32 - 1, 0, 0]);
});

test('a report that cannot be true is dropped with the field that is wrong', (t) => {
  const refused = (damage: Parameters<typeof wireReport>[0]) => {
    const error = t.throws(() => gossipFromWire(wireReport(damage), AT), { instanceOf: WireError });
    return error.message;
  };
  const address = (wire: proxyctl.v1.NodeReport.$Properties) => wire.addresses?.[0] ?? {};
  t.deepEqual(
    [
      refused((wire) => (wire.node = '')),
      refused((wire) => (wire.wallMs = Number.NaN)),
      refused((wire) => (address(wire).advskew = 255)),
      refused((wire) => (address(wire).baseAdvskew = 255)),
      refused((wire) => (address(wire).advbase = 0)),
      refused((wire) => (address(wire).address = '2@wan')),
      refused((wire) => (wire.seen = [{ epoch: 1 }])),
      refused((wire) => (wire.applied = [{ key: 'pause' }])),
    ],
    [
      'report.node: missing',
      'report.wall_ms: NaN is not within 0 to 9007199254740991',
      'report.addresses[0].advskew: 255 is not within 0 to 254',
      'report.addresses[0].base_advskew: 255 is not within 0 to 254',
      'report.addresses[0].advbase: 0 is not within 1 to 255',
      'report.addresses[0].address: "2@wan" is not 1@wan',
      'report.seen[0].node: missing',
      'report.applied[0].stamp: missing',
    ],
  );
});

test('whatever protobuf decodes becomes a message or a WireError, nothing else', (t) => {
  const tally = { messages: 0, refused: 0 };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      let wire: proxyctl.v1.GossipMessage;
      try {
        wire = GossipMessage.decode(bytes);
      } catch {
        return;
      }
      try {
        gossipFromWire(wire, AT);
        tally.messages++;
      } catch (error) {
        t.true(error instanceof WireError);
        tally.refused++;
      }
    }),
    { numRuns: 2000, seed: 1, examples: [[new Uint8Array()], [Uint8Array.of(0x2a, 0)]] },
  );
  t.true(tally.messages > 0 && tally.refused > 0);
});

test('an intent and its tombstone are told apart by the value', (t) => {
  const stamp = { wallMs: 1, count: 0, node: 'a' };
  const read = (wire: proxyctl.v1.Intent.$Properties) => () =>
    intentFromWire(carry(Intent, { stamp, ...wire }), 0, 'intent');
  t.throws(read({ key: 'pause' }), { message: 'intent.value: missing' });
  t.throws(read({ key: 'pause', value: 'on', deleted: true }), {
    message: 'intent.value: a tombstone has none',
  });
  t.throws(read({ value: 'on' }), { message: 'intent.key: missing' });
  t.throws(read({ key: 'pause', value: 'on', stamp: { wallMs: -1, node: 'a' } }), {
    message: 'intent.stamp.wall_ms: -1 is not within 0 to 9007199254740991',
  });
  t.true(read({ key: 'pause', deleted: true })().deleted);
});

test('a failure crosses as a status with outcome and detail whole', (t) => {
  const call = { peer: 'haproxy02', name: 'swap commit', changes: true };
  fc.assert(
    fc.property(outcome, fc.string(), fc.boolean(), (outcome, cause, retryable) => {
      const detail = { code: 'x_y', message: 'a: b', cause, remediation: 'do', retryable };
      const { code, details, metadata } = failureToStatus(new ActFailure(outcome, detail));
      if (code === undefined || details === undefined || metadata === undefined) throw t.fail();
      const back = failureFromStatus({ code, details, metadata }, call);
      t.deepEqual([back.outcome, back.detail], [outcome, detail]);
    }),
  );
});

test('an unexpected error becomes one sentence without its stack', (t) => {
  const failure = toFailure(new Error('disk on fire\n    at somewhere.js:1'), 'move');
  t.deepEqual(
    [failure.outcome, failure.detail],
    [
      'failed',
      {
        code: 'internal',
        message: 'move: disk on fire',
        cause: '',
        remediation: "the agent's log has the details",
        retryable: false,
      },
    ],
  );
});

test('alerts of an agent that names neither node nor severity are of the one that answers', (t) => {
  const old = { id: 'budget', subject: '1@wan', text: 'holds here', sinceMs: 3 };
  const wire = carry(StatusReply, { pair: 'web', node: 'haproxy02', alerts: [old] });
  t.deepEqual(statusFromWire(wire, AT).alerts, [
    { ...old, node: 'haproxy02', severity: 'unknown', remedy: '', sinceMs: AT.nowMs - 3 },
  ]);
});
