import test from 'ava';
import { proxyctl } from '../../proto/gen/messages.js';
import { PROTOCOL } from '../../agent/core/gossip.ts';
import type { NodeReport } from '../../agent/core/model.ts';
import { TIMINGS } from '../../agent/core/timing.ts';
import { gossip } from '../../agent/gossip/gossip.ts';
import { doctorFromWire, doctorToWire } from '../../agent/wire/doctor.ts';
import { explainFromWire, explainToWire } from '../../agent/wire/explain.ts';
import { failureFromStatus, FAILURE_TRAILER } from '../../agent/wire/failed-calls.ts';
import { gossipFromWire, gossipToWire } from '../../agent/wire/gossip.ts';
import { changeFromWire, changeToWire } from '../../agent/wire/history.ts';
import { reportFromWire, reportToWire } from '../../agent/wire/reports.ts';
import { resultFromWire, resultToWire } from '../../agent/wire/results.ts';
import { serverFromWire, serverToWire } from '../../agent/wire/servers.ts';
import { statusFromWire, statusToWire } from '../../agent/wire/status.ts';
import { standingFromWire } from '../../agent/wire/swaps.ts';
import { serversFromWire, serversToWire } from '../../agent/wire/acts.ts';
import { serverReading } from '../core/builders.ts';
import { address, haproxy, report } from '../reports.ts';
import { FakeClock } from '../fake-clock.ts';
import { emptyResult, emptyStatus } from '../rpc/world.ts';

// What a build with one word or field more says, as this build reads it: bytes of today's
// writer with one of them changed to what nobody knows yet.

const { GossipMessage, NodeReport: Wire, Result, SetServersRequest, StatusReply } = proxyctl.v1;
const AT = { nowMs: 2_000_000, wallMs: 1_790_000_000_000 };

const FULL: NodeReport = report('haproxy02', {
  addresses: [
    address({ address: '1@wan', state: 'MASTER' }),
    address({ address: '2@lan', vhid: 2, network: 'lan' }),
  ],
  haproxy: [haproxy()],
  problems: [{ subject: 'devd', cause: 'gone', remedy: 'start it', sinceMs: 1_500_000 }],
  health: 'degraded',
  icmp: 'ping',
});

const bytesOf = (one: NodeReport): Uint8Array => Wire.encode(reportToWire(one, AT.nowMs)).finish();
const read = (bytes: Uint8Array): NodeReport =>
  reportFromWire(Wire.decode(bytes), AT.nowMs, 'report');

/** The bytes of `mine`, and the only one of them in which `other` differs set to `value`. */
function changed(mine: Uint8Array, other: Uint8Array, value: number): Uint8Array {
  const differs = [...mine.keys()].filter((place) => mine[place] !== other[place]);
  if (mine.length !== other.length || differs.length !== 1)
    throw new Error(`${differs.length} bytes differ`);
  return mine.map((byte, place) => (place === differs[0] ? value : byte));
}

/** The bytes with the last letter of a word changed. */
function misspelt(bytes: Uint8Array, word: string): Uint8Array {
  const place = Buffer.from(bytes).lastIndexOf(word);
  if (place < 0) throw new Error(`no ${word}`);
  return bytes.map((byte, at) => (at === place + word.length - 1 ? byte + 1 : byte));
}

const [first, second] = FULL.addresses;
const [proxy] = FULL.haproxy;
if (first === undefined || second === undefined || proxy === undefined)
  throw new Error('no sample');

test('a field that this build does not know changes nothing of a report', (t) => {
  // Field 99 as a varint: an unknown one is skipped by its wire type.
  t.deepEqual(read(Uint8Array.of(...bytesOf(FULL), 0x98, 0x06, 0x01)), FULL);
});

test('a word that this build does not know is unknown, and the rest of the report is as it was', (t) => {
  const full = bytesOf(FULL);
  const state = (word: 'INIT' | 'unknown'): NodeReport => ({
    ...FULL,
    addresses: [{ ...first, state: word }, second],
  });
  const haproxyState = (word: 'hung' | 'unknown'): NodeReport => ({
    ...FULL,
    haproxy: [{ ...proxy, state: word }],
  });
  for (const value of [0, 9]) {
    const health = bytesOf({ ...FULL, health: 'down' });
    t.deepEqual(read(changed(full, health, value)), { ...FULL, health: 'unknown' });
    t.deepEqual(read(changed(full, bytesOf(state('INIT')), value)), state('unknown'));
    const hung = bytesOf(haproxyState('hung'));
    t.deepEqual(read(changed(full, hung, value)), haproxyState('unknown'));
  }
  t.deepEqual(read(misspelt(full, 'ping')), { ...FULL, icmp: 'unknown' });
  t.deepEqual(read(misspelt(full, 'events')), { ...FULL, carpEvents: 'unknown' });
});

test('a state of HAProxy that the first agents did not have is told in a word of theirs, and exactly beside it', (t) => {
  // They refuse a report with any other, and then nobody replaces a dead HAProxy here.
  const theirs = [1, 2, 3];
  for (const state of ['up', 'hung', 'down', 'stopping', 'unknown'] as const) {
    const one: NodeReport = { ...FULL, haproxy: [{ ...proxy, state }] };
    const told = Wire.decode(bytesOf(one)).haproxy[0]?.state ?? 0;
    t.true(theirs.includes(told), `${state}: ${told}`);
    t.deepEqual(read(bytesOf(one)), one);
  }
});

test('what is unknown here is passed on as unknown', (t) => {
  const unknown: NodeReport = { ...FULL, health: 'unknown', icmp: 'unknown' };
  t.deepEqual(read(bytesOf(unknown)), unknown);
});

test('a peer with an unknown word stays fresh, and its report is the present one', async (t) => {
  const clock = new FakeClock({ nowMs: AT.nowMs, wallMs: AT.wallMs });
  const refused: string[] = [];
  const node = gossip({
    node: 'haproxy01',
    pair: 'web',
    agentVersion: '0.1.0',
    epoch: 1,
    startId: 0,
    peers: ['haproxy02'],
    timing: TIMINGS.fast,
    clock,
    transport: { send: () => true },
    intents: new Map(),
    onIntents: () => undefined,
    onChange: () => undefined,
    onRefused: (from, cause) => refused.push(`${from}: ${cause}`),
  });
  const said = gossipToWire({ kind: 'report', report: FULL, ageMs: 0 }, AT);
  const sick = { ...FULL, health: 'down' as const };
  const other = gossipToWire({ kind: 'report', report: sick, ageMs: 0 }, AT);
  const bytes = changed(
    GossipMessage.encode(said).finish(),
    GossipMessage.encode(other).finish(),
    9,
  );
  node.receive('haproxy02', gossipFromWire(GossipMessage.decode(bytes), AT));
  await clock.advance(100);
  const [peer] = node.peers(clock.nowMs());
  t.deepEqual(
    [peer?.peerClass, peer?.fresh, peer?.report, refused],
    ['alive', true, { ...FULL, health: 'unknown' }, []],
  );
});

test('an outcome that only a newer agent knows is a result that is not known', (t) => {
  const wire = Result.decode(Result.encode(resultToWire(emptyResult, AT.wallMs)).finish());
  Object.assign(wire, { outcome: 99 });
  t.deepEqual(resultFromWire(wire, AT.wallMs), { ...emptyResult, outcome: 'result-unknown' });
  const detail = { code: 'new', message: 'm', cause: 'c', remediation: 'r', retryable: true };
  const carried = Object.assign(Result.create({ error: detail }), { outcome: 99 });
  const failure = Result.encode(carried).finish();
  const metadata = { get: (name: string) => (name === FAILURE_TRAILER ? [failure] : []) };
  const call = { peer: 'haproxy02', name: 'move', changes: true };
  const told = failureFromStatus({ code: 2, details: '', metadata }, call);
  t.deepEqual([told.outcome, told.detail], ['result-unknown', detail]);
});

test('an answer with an unknown word is readable, and only that word is unknown', (t) => {
  const moved = {
    ...emptyResult,
    addresses: [
      {
        address: '1@wan',
        vhid: 1,
        vips: [],
        from: 'a',
        to: 'b',
        darkMsMax: null,
        sessions: null,
        pin: null,
      },
    ].map((one) => ({ ...one, outcome: 'moved' as const })),
  };
  const result = resultToWire(moved, AT.wallMs);
  result.addresses?.forEach((one) => (one.outcome = 'teleported'));
  t.deepEqual(resultFromWire(Result.decode(Result.encode(result).finish()), AT.wallMs), {
    ...moved,
    addresses: moved.addresses.map((one) => ({ ...one, outcome: 'unknown' })),
  });

  const node = {
    node: 'haproxy02',
    peerClass: 'dead' as const,
    ageMs: 5,
    report: FULL,
    problem: '',
  };
  const status = { ...emptyStatus, nodes: [node] };
  const bytes = [...statusToWire(status, AT)].map((one) => StatusReply.encode(one).finish());
  const wire = StatusReply.decode(Buffer.concat(bytes));
  wire.nodes.forEach((one) => Object.assign(one, { peerClass: 99 }));
  t.deepEqual(statusFromWire(StatusReply.decode(StatusReply.encode(wire).finish()), AT), {
    ...status,
    nodes: [{ ...node, peerClass: 'unknown' }],
  });

  const change = { address: '1@wan', from: null, to: 'a', reason: '', atWallMs: AT.wallMs };
  const past = proxyctl.v1.OwnerChange.create(
    changeToWire({ ...change, cause: 'agent' }, AT.wallMs),
  );
  past.cause = 'moon';
  t.deepEqual(changeFromWire(past, AT.wallMs, 'x'), { ...change, cause: 'unknown' });

  const server = proxyctl.v1.ServerState.create(serverToWire(serverReading()));
  server.admin = 'asleep';
  t.deepEqual(serverFromWire(server, 'x'), { ...serverReading(), admin: 'unknown' });

  const before = proxyctl.v1.ServerState.create(serverToWire(serverReading()));
  Reflect.deleteProperty(before, 'address');
  t.deepEqual(serverFromWire(before, 'x'), { ...serverReading(), address: null });

  const finding = { id: 'x', address: null, nodes: [], saw: [], why: '', do: [] };
  const doctor = {
    node: 'a',
    findings: [{ ...finding, severity: 'warn' as const }],
    nodes: [],
    notes: [],
  };
  const reply = proxyctl.v1.DoctorReply.create(doctorToWire(doctor));
  reply.findings.forEach((one) => (one.severity = 'hint'));
  const findings = [{ ...finding, severity: 'unknown' }];
  t.deepEqual(doctorFromWire(reply), { node: 'a', findings, nodes: [], notes: [] } as never);
});

test('an explanation by a rule and a health that are not known here is readable', (t) => {
  const standing = {
    node: 'a',
    unableBecause: '',
    healthReason: 'x',
    healthSinceMs: AT.nowMs,
    maintenance: false,
    pinned: false,
    ripe: true,
    advskew: 0,
    state: 'MASTER',
  };
  const answer = (because: 'name' | 'unknown', health: 'serving' | 'unknown') => ({
    node: 'a',
    paused: false,
    addresses: [
      {
        address: '1@wan',
        owner: 'a',
        reason: '',
        because,
        flips: [],
        absent: [],
        standings: [{ ...standing, health }],
      },
    ],
  });
  const wire = explainToWire(answer('name', 'serving'), AT.nowMs);
  for (const one of wire.addresses ?? []) {
    one.because = 'moon';
    one.standings?.forEach((row) => (row.health = 'moon'));
  }
  const { ExplainReply } = proxyctl.v1;
  const read = explainFromWire(ExplainReply.decode(ExplainReply.encode(wire).finish()), AT.nowMs);
  t.deepEqual(read, answer('unknown', 'unknown'));
});

test('a phase of a swap that is not known here is no answer, but a swap that runs is one', (t) => {
  const reply = (phase: string, running: boolean) =>
    proxyctl.v1.SwapStateReply.create({ node: 'haproxy02', phase, running });
  t.throws(() => standingFromWire(reply('paused', false)), {
    message: 'phase: unknown word "paused"',
  });
  t.true(standingFromWire(reply('paused', true)).running);
});

test('in what is asked an unknown word is refused by name: an act is not guessed', (t) => {
  const header = {
    requestId: 'r',
    actor: '',
    reason: '',
    acceptRisks: [],
    dryRun: false,
    timeoutMs: null,
    seen: null,
  };
  const wire = serversToWire({
    header,
    targets: ['WEB'],
    state: 'maint',
    untilMs: null,
    wait: null,
  });
  const asked = (damage: (one: proxyctl.v1.SetServersRequest) => void) => () => {
    const request = SetServersRequest.decode(SetServersRequest.encode(wire).finish());
    damage(request);
    return serversFromWire(request);
  };
  t.throws(
    asked((one) => Object.assign(one, { state: 9 })),
    { message: 'state: unknown value 9' },
  );
  t.throws(
    asked((one) => Object.assign(one, { wait: 9 })),
    { message: 'wait: unknown value 9' },
  );
  t.throws(
    asked(
      (one) =>
        void (one.header = proxyctl.v1.RequestHeader.create({
          requestId: 'r',
          acceptRisks: ['all'],
        })),
    ),
    { message: 'header.accept_risks[0]: unknown word "all"' },
  );
});

test('the protocol is the one that agents in the field speak', (t) => {
  t.is(PROTOCOL, 1);
});
