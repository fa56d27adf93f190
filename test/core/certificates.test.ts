import test from 'ava';
import {
  certificateFindings,
  daysLeft,
  type FindingOptions,
} from '../../agent/core/certs/certificates.ts';
import {
  challengeKey,
  checkChallenge,
  isKeyAuthorization,
  isToken,
  keyAuthorization,
  tokenOf,
  withoutKeyAuthorization,
} from '../../agent/core/certs/challenge.ts';
import { notVerified, verifiedBy } from '../../agent/core/certs/listener-check.ts';
import type { Certificates, InspectedCertificate } from '../../agent/core/answers.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { intent, wishes } from './builders.ts';
import { inspected } from '../reports.ts';

const DAY = 86_400_000;
const END = Date.parse('2099-01-24T00:00:00Z');
const FIRST = 'a'.repeat(40);
const SECOND = 'b'.repeat(40);
const options = (leftMs = 400 * DAY): FindingOptions => ({
  wallMs: END - leftMs,
  alarmDays: [7, 30],
  endMs: Date.parse,
});
const node = (name: string, ...certificates: readonly InspectedCertificate[]) => ({
  node: name,
  certificates,
  problem: '',
});
const found = (
  nodes: readonly ReturnType<typeof node>[],
  intents: Certificates['intents'] = [],
  how = options(),
) =>
  certificateFindings({ nodes, intents }, how).map((one) => [one.id, one.node, one.name, one.text]);

test('days are counted as people do, down to the day it ends', (t) => {
  const left = (ms: number) => daysLeft(END, END - ms);
  t.deepEqual([left(DAY), left(DAY - 1), left(0), left(-1), left(-DAY)], [1, 0, 0, -1, -1]);
});

test('a certificate that is the same everywhere and ends late has no finding', (t) => {
  t.deepEqual(found([node('n1', inspected(FIRST)), node('n2', inspected(FIRST))]), []);
});

test('an end is told within the longest alarm, with the days left; what has ended since when', (t) => {
  const end = (leftMs: number) =>
    found([node('n1', inspected(FIRST))], [], options(leftMs)).map(([id, , , text]) => [id, text]);
  const at = '2099-01-24T00:00:00Z';
  t.deepEqual(end(30 * DAY), []);
  t.deepEqual(end(30 * DAY - 1), [['expiry', `/c/site.pem ends in 29 days, ${at}`]]);
  t.deepEqual(end(DAY), [['expiry', `/c/site.pem ends in 1 day, ${at}`]]);
  t.deepEqual(end(0), [['expiry', `/c/site.pem ends in less than a day, ${at}`]]);
  t.deepEqual(end(-1), [['expired', `/c/site.pem ended less than a day ago, ${at}`]]);
  t.deepEqual(end(-2 * DAY), [['expired', `/c/site.pem ended 1 day ago, ${at}`]]);
});

test('disk, memory and clients are compared where they are known', (t) => {
  const of = (more: Partial<InspectedCertificate>) =>
    found([node('n1', inspected(FIRST, more))]).map(([id, , , text]) => [id, text]);
  t.deepEqual(of({ disk: SECOND }), [
    ['disk', '/c/site.pem is another one: a reload of HAProxy would serve bbbbbbbbbbbb'],
  ]);
  t.deepEqual(of({ disk: SECOND, name: '/c/site.pem' }), [
    ['disk', 'the file is another one: a reload of HAProxy would serve bbbbbbbbbbbb'],
  ]);
  t.deepEqual(of({ served: SECOND }), [
    ['served', 'clients get bbbbbbbbbbbb, HAProxy has aaaaaaaaaaaa in memory'],
  ]);
  t.deepEqual(of({ disk: null, served: null }), []);
  t.deepEqual(of({ memory: null, disk: SECOND, served: FIRST, problem: 'no socket' }), [
    ['unread', 'no socket'],
  ]);
});

test('a file that is not the decided version is told with who pushed it', (t) => {
  const decided = [intent('certificate/site', 'y')];
  const of = (sha256: string | null) =>
    found([node('n1', inspected(FIRST, { sha256 }))], decided).map(([id, , , text]) => [id, text]);
  t.deepEqual(of('x'), [['undecided', '/c/site.pem is not the version that anna pushed']]);
  t.deepEqual([of('y'), of(null)], [[], []]);
});

test('nodes that have different ones in memory are told, each with the others', (t) => {
  const three = [
    node('n1', inspected(FIRST)),
    node('n2', inspected(SECOND)),
    node('n3', inspected(FIRST), inspected(SECOND, { name: 'other' })),
    node('n4', inspected(FIRST, { memory: null, disk: null, served: null })),
  ];
  t.deepEqual(found(three), [
    ['peer', 'n1', 'site', 'it has aaaaaaaaaaaa, n2 another one'],
    ['peer', 'n3', 'site', 'it has aaaaaaaaaaaa, n2 another one'],
    ['peer', 'n2', 'site', 'it has bbbbbbbbbbbb, n1, n3 another one'],
  ]);
});

const TOKEN = 'abcdefghijklmnopqrstuv';
const AUTH = `${TOKEN}.${'t'.repeat(43)}`;

test('a token has 22 to 256 characters of base64url, a key authorization 43 more behind a dot', (t) => {
  t.deepEqual(
    [21, 22, 256, 257].map((length) => isToken('x'.repeat(length))),
    [false, true, true, false],
  );
  t.deepEqual([isToken(`${TOKEN}.`), isToken(`${TOKEN}/`)], [false, false]);
  t.deepEqual(
    [AUTH, `${AUTH}t`, AUTH.slice(0, -1), `x${AUTH}`, TOKEN].map((text) =>
      isKeyAuthorization(TOKEN, text),
    ),
    [true, false, false, false, false],
  );
});

test('what is answered for a token is the intent in force that belongs to it', (t) => {
  const key = challengeKey(TOKEN);
  const of = (value: string, change = {}) =>
    keyAuthorization(wishes(intent(key, value, change)), TOKEN, 1000);
  t.is(of(AUTH), AUTH);
  t.is(of('other'), null);
  t.is(of(AUTH, { deleted: true }), null);
  t.is(of(AUTH, { untilWallMs: 999 }), null);
  t.is(keyAuthorization(new Map(), TOKEN, 1000), null);
  t.is(keyAuthorization(wishes(intent('acme/short', AUTH)), 'short', 1000), null);
});

test('the token of an intent is read back, and its value is kept from screens', (t) => {
  t.deepEqual(
    [`acme/${TOKEN}`, 'acme/short', `certificate/${TOKEN}`].map((key) => tokenOf({ key })),
    [TOKEN, null, null],
  );
  const given = intent(`acme/${TOKEN}`, AUTH);
  t.deepEqual(withoutKeyAuthorization(given), { ...given, value: 'presented' });
  const gone = { ...given, value: '', deleted: true };
  t.is(withoutKeyAuthorization(gone), gone);
  const other = intent('pin/1@wan', 'n1');
  t.is(withoutKeyAuthorization(other), other);
});

test('a token or key authorization that is none is refused with what to give', (t) => {
  const refused = (token: string, keyAuth: string | null) => {
    const error = t.throws(() => checkChallenge(token, keyAuth), { instanceOf: ActFailure });
    return error?.message;
  };
  t.regex(refused('short', null) ?? '', /token is not one of ACME/);
  t.regex(refused(TOKEN, 'other') ?? '', /does not belong to the token/);
  t.notThrows(() => checkChallenge(TOKEN, AUTH));
  t.notThrows(() => checkChallenge(TOKEN, null));
});

test('verified is what every listener showed; who did not say is unknown', (t) => {
  const check = (verified: boolean, listener = 'frontend web (:443)') => ({
    listener,
    servername: '',
    verified,
    reason: verified ? '' : 'another one',
  });
  t.deepEqual(
    [verifiedBy(undefined), verifiedBy([]), verifiedBy([check(true), check(false)])],
    [null, null, false],
  );
  t.true(verifiedBy([check(true)]));
  t.deepEqual(notVerified(undefined), []);
  t.deepEqual(notVerified([check(true), check(false), check(false, '')]), [
    'frontend web (:443): another one',
    'another one',
  ]);
});
