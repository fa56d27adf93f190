import test from 'ava';
import {
  afterFailure,
  dueOf,
  failuresOf,
  ordererOf,
  lostNames,
  parseRefusal,
  refusalOf,
  refusalText,
  type Failures,
  type InPlace,
  type Setback,
} from '../../agent/core/certs/issuing.ts';
import { heard } from './builders.ts';
import { address, report } from '../reports.ts';

const DAY = 86_400_000;
const START = Date.parse('2026-06-01T00:00:00Z');
const inPlace = (change: Partial<InPlace> = {}): InPlace => ({
  names: ['www.example.net'],
  notBeforeMs: START,
  notAfterMs: START + 90 * DAY,
  selfSigned: false,
  fingerprint: '0000000000',
  ...change,
});
const wanted = ['www.example.net'];

test('a certificate is due with a third of its life left, by its fingerprint up to a thirtieth earlier', (t) => {
  const at = (fingerprint: string): number =>
    (dueOf(wanted, inPlace({ fingerprint })).atWallMs - START) / DAY;
  t.deepEqual(
    [at('0000000000'), at('8000000000'), Math.round(at('ffffffffff') * 1000)],
    [60, 58.5, 57_000],
  );
  const sixDays = inPlace({ notAfterMs: START + 6 * DAY });
  t.deepEqual(dueOf(wanted, sixDays), { atWallMs: START + 4 * DAY, why: 'age' });
});

test('a placeholder, or a certificate that lacks a name, is due at once', (t) => {
  t.deepEqual(dueOf(wanted, inPlace({ selfSigned: true })), { atWallMs: 0, why: 'placeholder' });
  t.deepEqual(dueOf([...wanted, 'git.example.net'], inPlace()), { atWallMs: 0, why: 'names' });
});

test('names that would be lost are told, those of a placeholder are not', (t) => {
  const two = { names: ['www.example.net', 'old.example.net'] };
  t.deepEqual(lostNames(wanted, inPlace(two)), ['old.example.net']);
  t.deepEqual(lostNames(wanted, inPlace({ ...two, selfSigned: true })), []);
});

test('pauses double up to their longest, scatter, and are never shorter than the CA wants', (t) => {
  const MINUTE = 60_000;
  const pauses = (setback: Setback, times: number): number[] => {
    let failures: Failures | null = null;
    return Array.from({ length: times }, () => {
      failures = afterFailure(failures, { setback, retryAfterMs: 0, random: 0 }, 0);
      return failures.untilMs / MINUTE;
    });
  };
  t.deepEqual(pauses('refused', 9), [10, 20, 40, 80, 160, 320, 640, 720, 720]);
  t.deepEqual(pauses('unreachable', 8), [1, 2, 4, 8, 16, 32, 60, 60]);
  const how = { setback: 'unreachable', retryAfterMs: 0, random: 1 } as const;
  t.deepEqual(afterFailure(null, how, 1000), { count: 1, untilMs: 76_000 });
  const told = { ...how, retryAfterMs: 3 * 60 * MINUTE };
  t.deepEqual(afterFailure({ count: 4, untilMs: 0 }, told, 0), {
    count: 5,
    untilMs: 180 * MINUTE,
  });
});

test('the one MASTER of the first address orders after half a minute; with two nobody does; with none one stands in after ten', (t) => {
  type State = 'MASTER' | 'BACKUP' | 'unknown';
  const seen = (first: State, second: State, fresh = true) =>
    ordererOf([
      heard(
        report('haproxy01', {
          addresses: [
            address({ address: '2@lan', state: second }),
            address({ address: '1@wan', state: first }),
          ],
        }),
      ),
      heard(report('haproxy02', { addresses: [address({ address: '1@wan', state: second })] }), {
        fresh,
      }),
    ]);
  const one = { node: 'haproxy01', afterMs: 30_000 };
  t.deepEqual(seen('MASTER', 'BACKUP'), one);
  t.deepEqual(seen('BACKUP', 'MASTER'), { ...one, node: 'haproxy02' });
  t.is(seen('MASTER', 'MASTER'), null);
  t.deepEqual(seen('BACKUP', 'BACKUP'), { ...one, afterMs: 600_000 });
  t.deepEqual(seen('BACKUP', 'MASTER', false), { ...one, afterMs: 600_000 });
  t.is(seen('BACKUP', 'unknown'), null, 'it may be MASTER, and knows it');
  t.deepEqual(seen('MASTER', 'unknown'), one);
  t.is(ordererOf([]), null);
});

test('a refusal carries over an hour at most or what the CA asks, and is read as it was written', (t) => {
  const HOUR = 3_600_000;
  const now = { nowMs: 1000, wallMs: START };
  const said = { cause: 'no', remedy: 'do' };
  const carried = (setback: Setback, pauseMs: number, retryAfterMs: number) =>
    refusalOf({ count: 3, untilMs: 1000 + pauseMs }, { setback, retryAfterMs }, said, now);
  const refusal = (forMs: number) => ({ count: 3, untilWallMs: START + forMs, ...said });
  t.deepEqual(
    [
      carried('refused', HOUR / 6, 0),
      carried('refused', 12 * HOUR, 0),
      carried('refused', 12 * HOUR, 3 * HOUR),
      carried('unreachable', 3 * HOUR, 3 * HOUR),
      carried('unreachable', HOUR, 0),
    ],
    [refusal(HOUR / 6), refusal(HOUR), refusal(3 * HOUR), refusal(3 * HOUR), null],
  );
  const { value, forMs } = refusalText(refusal(HOUR), START);
  t.deepEqual([parseRefusal(value), forMs], [refusal(HOUR), 25 * HOUR]);
  t.deepEqual(failuresOf(refusal(HOUR), { nowMs: 5, wallMs: START + HOUR / 2 }), {
    count: 3,
    untilMs: 5 + HOUR / 2,
  });
  t.is(failuresOf(refusal(HOUR), { nowMs: 5, wallMs: START + 2 * HOUR }).untilMs, 5);
  for (const other of ['', '{', 'null', '{"count":1}']) t.is(parseRefusal(other), null, other);
});

test('a refusal with any of its parts missing or of another kind is none', (t) => {
  const whole = { count: 1, untilWallMs: 2, cause: 'c', remedy: 'r' };
  t.deepEqual(parseRefusal(JSON.stringify(whole)), whole);
  for (const name of Object.keys(whole))
    t.is(parseRefusal(JSON.stringify({ ...whole, [name]: null })), null, name);
});

test('a fingerprint that is no number scatters nothing, and without an address nobody orders', (t) => {
  const due = dueOf(wanted, inPlace({ fingerprint: 'none' }));
  t.deepEqual(due, { atWallMs: START + 60 * DAY, why: 'age' });
  t.is(ordererOf([heard(report('haproxy01', { addresses: [] }))]), null);
  t.is(ordererOf([]), null);
});
