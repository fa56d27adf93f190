import { appendFileSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  asAtFirst,
  asked,
  calm,
  eventually,
  exitOf,
  fault,
  masters,
  nodeAt,
  scene,
} from './scene.ts';

const { test, lab } = scene({ maxMoves: 100 });

interface Event {
  readonly time: string;
  readonly id: string;
  readonly node: string;
  readonly kind: string;
  readonly subject: string;
  readonly text: string;
  readonly alert: string | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly actor: string | null;
}

/** What `proxyctl events` has of both nodes, asked at that place. */
async function recorded(at: number, ...args: readonly string[]): Promise<readonly Event[]> {
  const where = ['--limit', '0', '--context', nodeAt(lab(), at).name];
  const { code, json } = await asked(lab(), 'events', ...where, ...args);
  if (code !== 0) throw new Error(`events: ${code} ${JSON.stringify(json.nodes)}`);
  return (json.result?.['events'] as readonly Event[] | undefined) ?? [];
}

/** What has come since `before`, once all of it is there, as `KIND SUBJECT NODE`. */
const since = (before: readonly Event[], now: readonly Event[]): string[] =>
  now
    .filter(({ id }) => !before.some((one) => one.id === id))
    .map(({ kind, subject, node, alert }) => `${kind} ${alert ?? subject} ${node}`);

const arrived = async (before: readonly Event[], wanted: readonly string[]): Promise<void> => {
  let last: string[] = [];
  try {
    await eventually(
      'everything is on record',
      async () => {
        if ((await exitOf(lab(), 'events')) !== 0) return false;
        last = since(before, await recorded(0));
        return wanted.every((one) => last.includes(one));
      },
      10_000,
    );
  } catch (cause) {
    throw new Error(`of ${wanted.join('; ')} there is only ${last.join('; ')}`, { cause });
  }
  for (const one of wanted)
    if (last.filter((all) => all === one).length !== 1)
      throw new Error(`${one} is there twice: ${last.join('; ')}`);
};

const logs = (): string[] =>
  lab().nodes.map(({ log }) => join(dirname(log), 'proxyctl-events.log'));

test('a drain, a pause and their ends are one event each over the pair', async (t) => {
  await calm(lab());
  const before = await recorded(0);
  t.is(await exitOf(lab(), 'drain', 'WEB/web1', '--reason', 'new disk'), 0);
  t.is(await exitOf(lab(), 'ready', 'WEB/web1'), 0);
  t.is(await exitOf(lab(), 'pause'), 0);
  t.is(await exitOf(lab(), 'resume'), 0);
  const first = nodeAt(lab(), 0).name;
  await arrived(before, [
    `drain WEB/web1 ${first}`,
    `ready WEB/web1 ${first}`,
    `pause automation ${first}`,
    `resume automation ${first}`,
  ]);
});

test('a dead HAProxy, the move and the way home are on record within ten seconds, each once', async (t) => {
  const [first, second] = [nodeAt(lab(), 0), nodeAt(lab(), 1)];
  const before = await recorded(0);
  await fault(lab(), 'kill-haproxy', 'on', first);
  await arrived(before, [
    `haproxy-down haproxy ${first.name}`,
    `alert-raised haproxy-down ${first.name}`,
    `moved 1@vtnet0 ${second.name}`,
  ]);
  await fault(lab(), 'kill-haproxy', 'off', first);
  await arrived(before, [
    `haproxy-up haproxy ${first.name}`,
    `alert-cleared haproxy-down ${first.name}`,
    `moved 1@vtnet0 ${first.name}`,
  ]);
  t.deepEqual(
    since(before, await recorded(0)).filter((one) => /no-master|split-brain/.test(one)),
    [],
  );
  await calm(lab());
});

test('whichever agent is asked, ids, times and order are the same, and moves are those of history', async (t) => {
  const readings = [await recorded(0), await recorded(1), await recorded(0)];
  t.deepEqual(readings[0], readings[1]);
  t.deepEqual(readings[0], readings[2]);
  const ids = (readings[0] ?? []).map(({ id }) => id);
  t.is(new Set(ids).size, ids.length);
  const { json } = await asked(lab(), 'history', '--limit', '0');
  const changes = json.result?.['changes'] as unknown as {
    at: string;
    to: string;
    address: string;
  }[];
  t.deepEqual(
    (await recorded(0, '--kind', 'moved')).map(
      ({ time, subject, to }) => `${time} ${subject} ${to}`,
    ),
    changes.map(({ at, address, to }) => `${at} ${address} ${to}`),
  );
  const second = nodeAt(lab(), 1).name;
  const ofOne = await recorded(0, '--node', second);
  t.true(ofOne.length > 0 && ofOne.every(({ node }) => node === second));
  t.is((await asked(lab(), 'events', '--node', 'nobody')).code, 8);
  t.is((await asked(lab(), 'events', '--kind', 'moves')).code, 8);
});

test('an agent killed with kill -9: lost and heard again; ids go on, and half a line is skipped with a word', async (t) => {
  const [first, second] = [nodeAt(lab(), 0), nodeAt(lab(), 1)];
  const before = await recorded(0);
  await fault(lab(), 'kill-agent', 'on', second);
  await eventually('it is missed', async () => {
    const { code, json } = await asked(lab(), 'events', '--context', first.name);
    const events = (json.result?.['events'] ?? []) as unknown as readonly Event[];
    return (
      code === 6 &&
      events.some(({ kind, alert }) => kind === 'alert-raised' && alert === 'not-heard')
    );
  });
  appendFileSync(logs()[1] ?? '', '{"time":"2027-01-15T08:00:00.000Z","id":"hap');
  await fault(lab(), 'kill-agent', 'off', second);
  await arrived(before, [
    `peer-lost ${second.name} ${first.name}`,
    `peer-heard ${second.name} ${first.name}`,
    `alert-raised not-heard ${first.name}`,
    `alert-cleared not-heard ${first.name}`,
    `agent-started ${second.name} ${second.name}`,
    `peer-heard ${first.name} ${second.name}`,
  ]);
  const { json } = await asked(lab(), 'events');
  t.deepEqual(json.result?.['left_out'], [
    { node: second.name, reason: '1 of its lines cannot be read and are skipped' },
  ] as never);
  const now = await recorded(0);
  t.true(before.every(({ id }) => now.some((one) => one.id === id)));
  const numbers = now
    .filter(({ node }) => node === second.name)
    .map(({ id }) => /^.*-(\d+)-(\d+)$/.exec(id))
    .map((found) => Number(found?.[1]) * 1e6 + Number(found?.[2]));
  t.true(numbers.every((one, at) => at === 0 || one > (numbers[at - 1] ?? 0)));
  await asAtFirst(lab());
  t.deepEqual(await masters(lab()), [first.name]);
});

test('every line of the files is one event, for a log shipper', (t) => {
  for (const [at, path] of logs().entries()) {
    const lines = readFileSync(path, 'utf8').trim().split('\n');
    const whole = lines.flatMap((line) => {
      try {
        return [JSON.parse(line) as Event];
      } catch {
        return [];
      }
    });
    t.is(whole.length, lines.length - at);
    t.true(whole.every(({ node }) => node === nodeAt(lab(), at).name));
  }
});
