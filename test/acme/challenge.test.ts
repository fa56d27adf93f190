import test from 'ava';
import { ActFailure } from '../../agent/core/results.ts';
import {
  challengeKey,
  checkChallenge,
  keyAuthorization,
  tokenOf,
  withoutKeyAuthorization,
} from '../../agent/core/certs/challenge.ts';
import { mergeIntents } from '../../agent/core/intents.ts';
import { intent } from '../core/builders.ts';
import { NOW } from '../reports.ts';
import { KEY_AUTH, TOKEN } from './tokens.ts';

const known = (more = {}) => {
  const one = intent(challengeKey(TOKEN), KEY_AUTH, more);
  return new Map([[one.key, one]]);
};

test('a token is answered while it is in force, and nothing else is', (t) => {
  const until = { untilWallMs: NOW + 1000 };
  t.deepEqual(
    [
      keyAuthorization(known(), TOKEN, NOW),
      keyAuthorization(known(until), TOKEN, NOW + 999),
      keyAuthorization(known(until), TOKEN, NOW + 1000),
      keyAuthorization(known({ deleted: true, value: '' }), TOKEN, NOW),
      keyAuthorization(known(), TOKEN.toLowerCase(), NOW),
      keyAuthorization(known({ value: 'something else' }), TOKEN, NOW),
      keyAuthorization(known(), '../../etc/passwd-and-more', NOW),
    ],
    [KEY_AUTH, KEY_AUTH, null, null, null, null, null],
  );
});

test('token and key authorization are checked, and what is wrong is said', (t) => {
  const said = (token: string, keyAuth: string | null): string => {
    try {
      checkChallenge(token, keyAuth);
      return 'right';
    } catch (error) {
      return error instanceof ActFailure ? `${error.outcome}: ${error.message}` : String(error);
    }
  };
  const token = 'usage: the token is not one of ACME';
  const keyAuth = 'usage: the key authorization does not belong to the token';
  t.deepEqual(
    [
      said(TOKEN, KEY_AUTH),
      said(TOKEN, null),
      said('short', null),
      said(`${TOKEN}/..`, null),
      said(`${TOKEN}\n`, null),
      said(TOKEN, TOKEN),
      said(TOKEN, `${KEY_AUTH}x`),
      said(TOKEN, `x${KEY_AUTH}`),
      said(TOKEN, `${KEY_AUTH.slice(0, -1)}\n`),
    ],
    ['right', 'right', token, token, token, keyAuth, keyAuth, keyAuth, keyAuth],
  );
});

test('what is written down never holds the key authorization', (t) => {
  const [one] = known().values();
  const pin = intent('pin/1@wan', 'haproxy01');
  t.deepEqual(one && withoutKeyAuthorization(one), intent(challengeKey(TOKEN), 'presented'));
  t.deepEqual(withoutKeyAuthorization(pin), pin);
  t.deepEqual([one && tokenOf(one), tokenOf(pin), tokenOf({ key: 'acme/x' })], [TOKEN, null, null]);
});

test('a token is forgotten eight days after it was stamped, by every node alike', (t) => {
  const eightDays = 8 * 86_400_000;
  const pin = intent('pin/1@wan', 'haproxy01');
  const stamp = { wallMs: NOW, count: 0, node: 'haproxy01' };
  const stored = known({ stamp }).set(pin.key, pin);
  const keys = (wallMs: number): string[] => [
    ...mergeIntents(stored, [...known({ stamp }).values()], wallMs).intents.keys(),
  ];
  t.deepEqual(keys(NOW + eightDays), [challengeKey(TOKEN), 'pin/1@wan']);
  t.deepEqual(keys(NOW + eightDays + 1), ['pin/1@wan']);
});
