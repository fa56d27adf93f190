import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { decode, encode, openStore, type State } from '../../agent/store/state.ts';
import { intent } from '../core/builders.ts';

async function newFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'proxyctl-state-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Unix ms of the first start; epochs of before are lower. */
const WALL = 1_800_000_000_000;
const EPOCH = WALL / 1000;
/** What this test has nothing in. */
const NONE = {
  bases: {},
  intents: [],
  servers: [],
  moves: {},
  history: [],
  held: [],
  standing: [],
  fenceMine: false,
};
const PIN = intent('pin/1@wan', 'haproxy02');
const stateOf = (folder: string, name = 'state.json'): State =>
  decode(readFileSync(join(folder, name), 'utf8'));

test('an empty directory: an empty state, made durable at once, for nobody else to read', async (t) => {
  const folder = join(await newFolder(t), 'deep', 'er');
  const store = await openStore(folder, WALL);
  t.deepEqual(store.state, { ...NONE, epoch: EPOCH });
  t.deepEqual(store.problems, []);
  t.deepEqual(stateOf(folder), store.state);
  t.is(statSync(join(folder, 'state.json')).mode & 0o777, 0o600);
  t.is(statSync(folder).mode & 0o777, 0o700);
});

test('what was saved is there after a restart, whole', async (t) => {
  const folder = await newFolder(t);
  const store = await openStore(folder, WALL);
  const server = {
    key: 'server//WEB/web1',
    stamp: PIN.stamp,
    state: 'drain',
    pid: 7,
    problem: '',
  } as const;
  const until = intent('maintenance/haproxy01', 'on', { untilWallMs: 12.5, deleted: true });
  const saved = {
    bases: { '1@wan': 100 },
    intents: [PIN, until],
    servers: [server],
    moves: { '1@wan': [WALL, WALL + 0.5] },
    history: [
      {
        address: '1@wan',
        from: 'haproxy01',
        to: 'haproxy02',
        cause: 'agent' as const,
        reason: 'HAProxy is down on haproxy01',
        atWallMs: WALL,
      },
    ],
    held: ['1@wan'],
    standing: [
      {
        id: 'haproxy-down',
        subject: 'haproxy',
        severity: 'fail' as const,
        text: 'HAProxy down',
        remedy: '',
        sinceWallMs: WALL,
      },
    ],
    fenceMine: true,
  };
  await store.save(saved);
  const again = await openStore(folder, WALL);
  t.deepEqual(again.state, { epoch: EPOCH + 1, ...saved });
  t.deepEqual(again.problems, []);
});

test('the epoch rises at every start: by the clock, and where that stands still or goes back by one', async (t) => {
  const folder = await newFolder(t);
  const epochs: number[] = [];
  for (const wallMs of [WALL, WALL + 60_000, WALL + 60_000, 0, WALL]) {
    const store = await openStore(folder, wallMs);
    epochs.push(store.state.epoch);
    await store.save({ bases: { '1@wan': 1 } });
  }
  t.deepEqual(epochs, [EPOCH, EPOCH + 60, EPOCH + 61, EPOCH + 62, EPOCH + 63]);
});

test('cut at every byte: the last good state is used, the cut file kept, and both said', async (t) => {
  const template = await newFolder(t);
  const first = await openStore(template, 0);
  await first.save({ bases: { '1@wan': 100 } });
  await openStore(template, 0);
  const whole = readFileSync(join(template, 'state.json'));
  const before = readFileSync(join(template, 'state.json.1'));
  const seen: unknown[] = [];
  const expected: unknown[] = [];
  const folder = await newFolder(t);
  const path = join(folder, 'state.json');
  // All that may be missing is the end of the line.
  for (let length = 0; length < whole.length - 1; length++) {
    for (const name of readdirSync(folder)) rmSync(join(folder, name));
    writeFileSync(path, whole.subarray(0, length));
    writeFileSync(`${path}.1`, before);
    const { state, problems } = await openStore(folder, 0);
    const [unusable, ...others] = problems.map(({ cause }) => cause);
    t.true(unusable?.startsWith(`${path} is not usable: it is `));
    seen.push([state, others, readFileSync(`${path}.damaged-1`).length]);
    expected.push([
      { ...NONE, epoch: 3, bases: { '1@wan': 100 } },
      [`it was kept as ${path}.damaged-1`],
      length,
    ]);
  }
  t.true(seen.length > 100);
  t.deepEqual(seen, expected);
});

test('every start after a damaged file has an epoch of its own, whichever file is damaged next', async (t) => {
  const folder = await newFolder(t);
  const path = join(folder, 'state.json');
  const epochs: number[] = [];
  for (let start = 0; start < 6; start++) {
    const store = await openStore(folder, 0);
    epochs.push(store.state.epoch);
    writeFileSync(path, '{');
  }
  t.deepEqual(
    epochs,
    [...new Set(epochs)].sort((a, b) => a - b),
  );
  t.is(epochs.length, 6);
});

test('a wrong checksum, a strange body, a newer version, another file: why it is not used', (t) => {
  const text = encode({ ...NONE, epoch: 1, bases: { '1@wan': 0 }, intents: [PIN] });
  const envelope = JSON.parse(text) as { version: number; sha256: string; body: string };
  const again = (change: Partial<State>): string =>
    encode({ ...(JSON.parse(envelope.body) as State), ...change });
  const rows: [string, string][] = [
    ['', 'it is cut short or no JSON'],
    ['null', 'it is not a state file'],
    ['{"epoch":1}', 'it is not a state file'],
    [text.replace('haproxy02', 'haproxy03'), 'its checksum is wrong'],
    [text.replace(/"sha256":"./, '"sha256":"x'), 'its checksum is wrong'],
    [JSON.stringify({ ...envelope, version: 2 }), 'it was written by a newer agent (version 2)'],
    [
      again({ epoch: -1 }),
      'its content is wrong: epoch Invalid value: Expected >=0 but received -1',
    ],
    [
      again({ bases: { '1@wan': 255 } }),
      'its content is wrong: bases.1@wan Invalid value: Expected <=254 but received 255',
    ],
  ];
  t.deepEqual(
    rows.map(([given]) => [given, t.throws(() => decode(given)).message]),
    rows,
  );
});

test('a file of before moves and fences were stored is read', (t) => {
  const { moves: _moves, fenceMine: _fenceMine, ...old } = { ...NONE, epoch: 4, intents: [PIN] };
  t.deepEqual(decode(encode(old as unknown as State)), { ...NONE, epoch: 4, intents: [PIN] });
});

test('a file of a newer agent is kept aside, not overwritten, and the one before is used', async (t) => {
  const folder = await newFolder(t);
  const path = join(folder, 'state.json');
  const first = await openStore(folder, 0);
  await first.save({ intents: [PIN] });
  await openStore(folder, 0);
  const newer = readFileSync(path, 'utf8').replace('"version":1', '"version":9');
  writeFileSync(path, newer);
  const { state, problems } = await openStore(folder, 0);
  t.deepEqual(state.intents, [PIN]);
  t.is(readFileSync(`${path}.damaged-1`, 'utf8'), newer);
  t.deepEqual(
    problems.map(({ cause }) => cause),
    [
      `${path} is not usable: it was written by a newer agent (version 9)`,
      `it was kept as ${path}.damaged-1`,
    ],
  );
});

test('both damaged: both kept, an empty state, and the loss said', async (t) => {
  const folder = await newFolder(t);
  const path = join(folder, 'state.json');
  writeFileSync(path, 'x');
  writeFileSync(`${path}.1`, 'y');
  const { state, problems } = await openStore(folder, WALL);
  t.deepEqual(state, { ...NONE, epoch: EPOCH });
  t.deepEqual(
    problems.map(({ cause }) => cause),
    [
      `${path} is not usable: it is cut short or no JSON`,
      `it was kept as ${path}.damaged-1`,
      `${path}.1 is not usable: it is cut short or no JSON`,
      `it was kept as ${path}.1.damaged-1`,
      'no usable state file is left: pins and drains stored here alone are gone',
    ],
  );
});

test('the state file gone, its predecessor there: that is used, and peers take no epoch for the past', async (t) => {
  const folder = await newFolder(t);
  const first = await openStore(folder, 0);
  await first.save({ intents: [PIN] });
  await first.save({ bases: { '1@wan': 0 } });
  rmSync(join(folder, 'state.json'));
  const { state } = await openStore(folder, 0);
  t.deepEqual(state, { ...NONE, epoch: 3, intents: [PIN] });
});

test('a hundred damaged files are not overwritten by the good one', async (t) => {
  const folder = await newFolder(t);
  const path = join(folder, 'state.json');
  const first = await openStore(folder, 0);
  await first.save({ intents: [PIN] });
  await first.save({});
  for (let number = 1; number <= 99; number++) writeFileSync(`${path}.damaged-${number}`, 'old');
  writeFileSync(path, 'damaged');
  const { state } = await openStore(folder, 0);
  t.deepEqual(state.intents, [PIN]);
  t.is(readFileSync(`${path}.damaged-99`, 'utf8'), 'damaged');
  t.deepEqual(stateOf(folder, 'state.json.1').intents, [PIN]);
});

test('the predecessor is what stood before the last save', async (t) => {
  const folder = await newFolder(t);
  const store = await openStore(folder, 0);
  await store.save({ bases: { '1@wan': 1 } });
  await store.save({ bases: { '1@wan': 2 } });
  t.deepEqual(
    [stateOf(folder).bases, stateOf(folder, 'state.json.1').bases],
    [{ '1@wan': 2 }, { '1@wan': 1 }],
  );
  t.deepEqual(readdirSync(folder).sort(), ['state.json', 'state.json.1']);
});

test('saves during a save are one write after it, and each is durable when it resolves', async (t) => {
  const folder = await newFolder(t);
  const store = await openStore(folder, 0);
  const seen: (number | undefined)[] = [];
  await Promise.all(
    [1, 2, 3, 4, 5].map(async (base) => {
      await store.save({ bases: { '1@wan': base } });
      seen.push(stateOf(folder).bases['1@wan']);
    }),
  );
  // The first had not begun to write when the others came.
  t.deepEqual(seen, [5, 5, 5, 5, 5]);
  t.deepEqual(stateOf(folder, 'state.json.1').bases, {});
});

test('parts saved apart stay', async (t) => {
  const folder = await newFolder(t);
  const store = await openStore(folder, 0);
  await Promise.all([store.save({ bases: { '1@wan': 1 } }), store.save({ intents: [PIN] })]);
  t.deepEqual(stateOf(folder), { ...NONE, epoch: 1, bases: { '1@wan': 1 }, intents: [PIN] });
});

test('a directory that cannot be made or read is said, not passed over', async (t) => {
  const folder = await newFolder(t);
  const file = join(folder, 'file');
  writeFileSync(file, '');
  await t.throwsAsync(openStore(join(file, 'state'), 0), { code: 'ENOTDIR' });
  await mkdir(join(folder, 'state.json'));
  const error = await t.throwsAsync(openStore(folder, 0));
  t.is(
    // From Node 26 on the words of read(2) name the file too.
    error?.message.replace(/, read '.*'$/, ', read'),
    `${folder}/state.json cannot be read: EISDIR: illegal operation on a directory, read`,
  );
});

/** A disk that takes one small file and no more; for others than root a directory that takes nothing. */
async function refusing(t: ExecutionContext, folder: string): Promise<() => Promise<void>> {
  if (process.getuid?.() !== 0) {
    return () => chmod(folder, 0o500);
  }
  const run = (program: string, ...args: string[]) => execFileSync(program, args);
  run('mount', '-t', 'tmpfs', '-o', 'size=64k', 'none', folder);
  t.teardown(() => run('umount', folder));
  return async () => {
    try {
      writeFileSync(join(folder, 'ballast'), Buffer.alloc(1 << 20));
    } catch (error) {
      t.true(error instanceof Error);
    }
  };
}

test('a disk that refuses: the save rejects, both files are as they were, and a later save holds everything', async (t) => {
  const parent = await newFolder(t);
  const folder = join(parent, 'state');
  await mkdir(folder);
  const refuse = await refusing(t, folder);
  const store = await openStore(folder, 0);
  await store.save({ bases: { '1@wan': 1 } });
  const files = ['state.json', 'state.json.1'].map((name) =>
    readFileSync(join(folder, name), 'utf8'),
  );
  await refuse();
  const large = Array.from({ length: 100 }, (_, at) => intent(`pin/${at}@wan`, 'haproxy02'));
  await t.throwsAsync(store.save({ intents: large }));
  t.deepEqual(
    ['state.json', 'state.json.1'].map((name) => readFileSync(join(folder, name), 'utf8')),
    files,
  );
  await chmod(folder, 0o700);
  rmSync(join(folder, 'ballast'), { force: true });
  await store.save({ bases: { '1@wan': 2 } });
  const after = stateOf(folder);
  t.deepEqual([after.bases, after.intents.length], [{ '1@wan': 2 }, 100]);
});
