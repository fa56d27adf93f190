import test from 'ava';
import { GivenUp, OrderFailure } from '../../agent/acme/failure.ts';
import { startIssuer } from '../../agent/acme/issuer.ts';
import type { InPlace, Refusal } from '../../agent/core/certs/issuing.ts';
import { problems as openProblems } from '../../agent/problems.ts';
import { FakeClock } from '../fake-clock.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;
const WALL = Date.parse('2026-06-01T00:00:00Z');
const site = { names: ['www.example.net'], path: '/c/site.pem' };

const issuedAt = (wallMs: number, change: Partial<InPlace> = {}): InPlace => ({
  names: site.names,
  notBeforeMs: wallMs,
  notAfterMs: wallMs + 90 * DAY,
  selfSigned: false,
  fingerprint: '00000000',
  ...change,
});

/** What the nodes have stored of refusals, as intents carry it from one to the other. */
const pairStore = (): Map<string, Refusal> => new Map();

/** The issuer of n1; a test changes who holds the address, what is in place and how orders end. */
function world(
  inPlace: InPlace | null = issuedAt(WALL, { selfSigned: true }),
  { stored = pairStore(), wallMs = WALL, node = 'n1' } = {},
) {
  const clock = new FakeClock({ wallMs });
  const problems = openProblems(clock, () => undefined);
  const state = {
    holder: 'n1' as string | null,
    afterMs: 30_000,
    inPlace,
    order: (_goOn: () => void): Promise<string> => Promise.resolve('bundle'),
    push: (): Promise<void> => Promise.resolve(),
  };
  const done: string[] = [];
  const minute = (): string => (clock.nowMs() / MINUTE).toFixed(1);
  const issuer = startIssuer({
    node,
    certificates: [site],
    clock,
    problems,
    random: () => 0,
    orderer: () => (state.holder === null ? null : { node: state.holder, afterMs: state.afterMs }),
    inPlace: () => Promise.resolve(state.inPlace),
    order(_wanted, goOn) {
      done.push(`${minute()} order`);
      return state.order(goOn);
    },
    async push(_path, pem, placeholder) {
      done.push(`${minute()} push ${pem}${placeholder ? ' over a placeholder' : ''}`);
      await state.push();
      state.inPlace = issuedAt(clock.wallMs());
    },
    refused: (names) => stored.get(names.join(' ')) ?? null,
    remember(names, refusal) {
      if (refusal === null) stored.delete(names.join(' '));
      else stored.set(names.join(' '), refusal);
      return Promise.resolve();
    },
    log: () => undefined,
  });
  const alerts = () => problems.list().map(({ cause, remedy }) => [cause, remedy]);
  return { clock, state, done, issuer, alerts };
}

test('a placeholder is replaced once the address is here for half a minute, and renewed after 60 of 90 days', async (t) => {
  const { clock, done, issuer, alerts } = world();
  await clock.advance(29_000);
  t.deepEqual(done, []);
  await clock.advance(MINUTE);
  t.deepEqual(done, ['0.5 order', '0.5 push bundle over a placeholder']);
  t.is(issuer.renewal(site.path), WALL + 30_000 + 60 * DAY);
  await clock.advance(DAY);
  t.is(done.length, 2);
  issuer.stop();
  t.deepEqual(clock.sleeping(), []);
  t.deepEqual(alerts(), []);
});

test('the other node knows the time and orders nothing, until the address comes to it', async (t) => {
  const { clock, state, done, issuer } = world(issuedAt(WALL - 61 * DAY));
  state.holder = 'n2';
  await clock.advance(5 * MINUTE);
  t.deepEqual([done, issuer.renewal(site.path)], [[], WALL - DAY]);
  state.holder = null;
  await clock.advance(5 * MINUTE);
  t.deepEqual(done, []);
  state.holder = 'n1';
  await clock.advance(MINUTE);
  t.deepEqual(done, ['10.6 order', '10.6 push bundle']);
  issuer.stop();
});

test('standing in takes longer than holding the address, and a push is seen at once', async (t) => {
  const { clock, state, done, issuer } = world(issuedAt(WALL));
  state.afterMs = 10 * MINUTE;
  await clock.advance(5 * MINUTE);
  state.inPlace = issuedAt(WALL - 61 * DAY);
  issuer.wake();
  await clock.advance(4 * MINUTE);
  t.deepEqual(done, []);
  await clock.advance(2 * MINUTE);
  t.deepEqual(done, ['10.0 order', '10.0 push bundle']);
  state.afterMs = 30_000;
  state.inPlace = issuedAt(WALL - 61 * DAY);
  issuer.wake();
  await clock.advance(5000);
  t.is(done.length, 4);
  issuer.stop();
});

test('an order that goes on while the address leaves is given up, without alert, and begun afresh on return', async (t) => {
  const { clock, state, done, issuer, alerts } = world();
  state.order = async (goOn) => {
    await new Promise<void>((resolve) => clock.after(10_000, resolve));
    goOn();
    return 'late';
  };
  await clock.advance(31_000);
  state.holder = 'n2';
  await clock.advance(MINUTE);
  t.deepEqual([done, alerts()], [['0.5 order'], []]);
  state.holder = 'n1';
  await clock.advance(MINUTE);
  t.deepEqual(done, ['0.5 order', '2.1 order', '2.3 push late over a placeholder']);
  issuer.stop();
});

test('what the CA refuses is an alert, asked again after growing pauses, and gone when it succeeds', async (t) => {
  const { clock, state, done, issuer, alerts } = world();
  const refuse = new OrderFailure('the CA could not verify www.example.net', 'DNS');
  state.order = () => Promise.reject(refuse);
  await clock.advance(75 * MINUTE);
  t.deepEqual(done, ['0.5 order', '10.5 order', '30.5 order', '70.5 order']);
  t.deepEqual(alerts(), [
    ['no certificate for /c/site.pem: the CA could not verify www.example.net', 'DNS'],
  ]);
  state.order = () => Promise.resolve('bundle');
  await clock.advance(80 * MINUTE);
  t.deepEqual(done.slice(4), ['150.5 order', '150.5 push bundle over a placeholder']);
  t.deepEqual(alerts(), []);
  issuer.stop();
});

test('Retry-After is longer than any pause of its own', async (t) => {
  const { clock, state, done, issuer } = world();
  state.order = () => Promise.reject(new OrderFailure('slow', '', 'unreachable', 180 * MINUTE));
  await clock.advance(185 * MINUTE);
  t.deepEqual(done, ['0.5 order', '180.5 order']);
  issuer.stop();
});

test('what was issued and could not be installed is not ordered a second time', async (t) => {
  const { clock, state, done, issuer, alerts } = world();
  state.push = () => Promise.reject(new OrderFailure('disk full', 'make room', 'unreachable'));
  await clock.advance(2 * MINUTE);
  t.deepEqual(alerts(), [['no certificate for /c/site.pem: disk full', 'make room']]);
  state.push = () => Promise.resolve();
  await clock.advance(2 * MINUTE);
  t.deepEqual(
    done.filter((line) => line.endsWith('order')),
    ['0.5 order'],
  );
  t.deepEqual(alerts(), []);
  issuer.stop();
});

test('an alert goes where another node takes over, whose own it is then', async (t) => {
  const { clock, state, issuer, alerts } = world();
  state.order = () => Promise.reject(new OrderFailure('no', 'do'));
  await clock.advance(MINUTE);
  t.is(alerts().length, 1);
  state.holder = 'n2';
  await clock.advance(MINUTE);
  t.deepEqual(alerts(), []);
  issuer.stop();
});

test('names that are served and not wanted, and a path that is not loaded, are said before anything is ordered', async (t) => {
  const names = { names: [...site.names, 'old.example.net'] };
  const { clock, state, done, issuer, alerts } = world(issuedAt(WALL - 61 * DAY, names));
  await clock.advance(MINUTE);
  t.deepEqual(alerts(), [
    [
      'no certificate for /c/site.pem: old.example.net is served now and not in its names',
      'add it to names in agent.toml, or first push one without it: cert push --accept-risk=names-lost',
    ],
  ]);
  state.inPlace = null;
  await clock.advance(3 * MINUTE);
  t.deepEqual(alerts(), [
    [
      'no certificate for /c/site.pem: HAProxy has loaded no certificate from it',
      'put a self-signed one there, name it in haproxy.conf, reload HAProxy',
    ],
  ]);
  t.deepEqual(done, []);
  issuer.stop();
});

test('giving up at a stop leaves no alert and no timer', async (t) => {
  const { clock, state, issuer, alerts } = world();
  state.order = () => Promise.reject(new GivenUp('stopped'));
  await clock.advance(MINUTE);
  issuer.stop();
  await clock.advance(MINUTE);
  t.deepEqual([alerts(), clock.sleeping()], [[], []]);
});

const refuse = (): Promise<string> =>
  Promise.reject(new OrderFailure('the CA could not verify www.example.net', 'DNS'));
const REFUSED = [
  ['no certificate for /c/site.pem: the CA could not verify www.example.net', 'DNS'],
];

test('a restart every minute asks the CA no more often than it allows, and keeps the alert', async (t) => {
  const stored = pairStore();
  const asked: number[] = [];
  for (let wallMs = WALL; wallMs < WALL + 4 * 60 * MINUTE; wallMs += MINUTE) {
    const { clock, state, done, issuer, alerts } = world(undefined, { stored, wallMs });
    state.order = refuse;
    await clock.advance(59_000);
    t.deepEqual(alerts(), REFUSED);
    if (done.length > 0) asked.push((wallMs - WALL) / MINUTE);
    issuer.stop();
  }
  // 10, 20 and 40 minutes after one another, then an hour whatever the pause would be.
  t.deepEqual(asked, [0, 10, 30, 70, 130, 190]);
});

test('the address moves: the other node goes on with the pause and its alert, and both forget at success', async (t) => {
  const stored = pairStore();
  const first = world(undefined, { stored });
  first.state.order = refuse;
  await first.clock.advance(35 * MINUTE);
  t.deepEqual(first.done, ['0.5 order', '10.5 order', '30.5 order']);
  first.issuer.stop();
  const wallMs = first.clock.wallMs();
  const second = world(undefined, { stored, wallMs, node: 'n2' });
  second.state.holder = 'n2';
  await second.clock.advance(35 * MINUTE);
  t.deepEqual([second.done, second.alerts()], [[], REFUSED]);
  await second.clock.advance(MINUTE);
  t.deepEqual(second.done, ['35.5 order', '35.5 push bundle over a placeholder']);
  t.deepEqual([second.alerts(), stored.size], [[], 0]);
  second.issuer.stop();
});

test('a CA that is down is asked again by a new start at once; one that asks for a pause is not', async (t) => {
  const asks = async (retryAfterMs: number): Promise<string[]> => {
    const stored = pairStore();
    const before = world(undefined, { stored });
    before.state.order = () =>
      Promise.reject(new OrderFailure('down', '', 'unreachable', retryAfterMs));
    await before.clock.advance(MINUTE);
    before.issuer.stop();
    const after = world(undefined, { stored, wallMs: before.clock.wallMs() });
    await after.clock.advance(MINUTE);
    after.issuer.stop();
    return after.done;
  };
  t.deepEqual(await asks(0), ['0.5 order', '0.5 push bundle over a placeholder']);
  t.deepEqual(await asks(180 * MINUTE), []);
});

test('a certificate pushed by hand during a pause ends the alert within a minute', async (t) => {
  const stored = pairStore();
  const { clock, state, done, issuer, alerts } = world(undefined, { stored });
  state.order = refuse;
  await clock.advance(MINUTE);
  t.deepEqual(alerts(), REFUSED);
  state.inPlace = issuedAt(WALL);
  await clock.advance(65_000);
  t.deepEqual([alerts(), stored.size, done], [[], 0, ['0.5 order']]);
  issuer.stop();
});

test('a clock that was set back by years prolongs a pause to a day at most', async (t) => {
  const stored = pairStore();
  stored.set(site.names.join(' '), {
    count: 1,
    untilWallMs: WALL + 2000 * DAY,
    cause: 'no',
    remedy: 'do',
  });
  const { clock, done, issuer } = world(undefined, { stored });
  await clock.advance(DAY - MINUTE);
  t.deepEqual(done, []);
  await clock.advance(2 * MINUTE);
  t.deepEqual(done, ['1440.0 order', '1440.0 push bundle over a placeholder']);
  issuer.stop();
});
