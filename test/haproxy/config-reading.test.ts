import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import {
  LONGEST_FILE,
  numberedMark,
  secretNumbers,
  secretText,
  withMarks,
} from '../../agent/core/haproxy-config/reading.ts';
import { configReader, keyedHash } from '../../agent/haproxy/config-reading.ts';
import { fixture } from '../fixture.ts';

const KEY = Buffer.alloc(32, 1);
const NOW = Date.parse('2027-03-01T12:00:00Z');

/** A reader of these files, beside a HAProxy that is up so long; null: none answers. */
function world(t: ExecutionContext, upMs: number | null = 60_000) {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-config-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const files: string[] = [];
  let problem = '';
  const reader = configReader({
    started: () => Promise.resolve({ files, problem }),
    ask: () =>
      upMs === null
        ? Promise.reject(new Error('nobody'))
        : Promise.resolve(
            `Name: HAProxy\nVersion: 3.4.0\nPid: 9\nUptime_sec: ${upMs / 1000}\nCurrConns: 0\n`,
          ),
    wallMs: () => NOW,
  });
  const path = (name: string): string => join(folder, name);
  return {
    reader,
    path,
    doubt: (why: string): void => {
      problem = why;
    },
    /** Written so long ago. */
    write: (name: string, content: string | Buffer, ageMs = 3_600_000): void => {
      writeFileSync(path(name), content);
      const at = new Date(NOW - ageMs);
      utimesSync(path(name), at, at);
      if (!files.includes(path(name))) files.push(path(name));
    },
    name: (...names: string[]) => files.push(...names.map(path)),
  };
}

/** With numbers for the secrets. */
function numbered(texts: readonly string[]): string[] {
  const numberOf = secretNumbers();
  return texts.map((text) => withMarks(text, (hash) => numberedMark(numberOf(hash))));
}

test('the files in their order, the same secret in the same place with the same mark', async (t) => {
  const { reader, write, path } = world(t);
  const one = 'userlist staff\n  user anna password hunter2\n  user ben password hunter2\n';
  write('a.cfg', one);
  write('b.cfg', one.replace('ben password hunter2', 'ben password hunter3'));
  const { files, ...rest } = await reader.read(KEY);
  t.deepEqual(
    files.map((file) => [file.path, file.changedAt]),
    [
      [path('a.cfg'), '2027-03-01T11:00:00.000Z'],
      [path('b.cfg'), '2027-03-01T11:00:00.000Z'],
    ],
  );
  t.deepEqual(numbered(files.map(({ text }) => text)), [
    'userlist staff\n  user anna password <secret-1>\n  user ben password <secret-2>\n',
    'userlist staff\n  user anna password <secret-1>\n  user ben password <secret-3>\n',
  ]);
  t.deepEqual(rest, {
    problems: [],
    notes: [],
    version: 'f6f35e8c936b',
    startedAt: '2027-03-01T11:59:00.000Z',
    // They were made just now, long before the clock of this test.
    loaded: 'yes',
    why: '',
  });
});

test('marks are of the key: under another one nothing is the same; whoever has it can compare', async (t) => {
  const { reader, write } = world(t);
  write('a.cfg', 'userlist staff\n  user anna password hunter2\n');
  const [one, other] = [await reader.read(KEY), await reader.read(Buffer.alloc(32, 2))];
  t.not(one.files[0]?.text, other.files[0]?.text);
  t.is(one.version, other.version);
  const text = secretText('userlist staff\nuser\nanna\npassword\n', 'hunter2');
  const hash = keyedHash(KEY, createHash('sha256').update(text).digest());
  t.is(one.files[0]?.text, `userlist staff\n  user anna password \0${hash}\0\n`);
});

test('the version is of the text without its secrets', async (t) => {
  const { reader, write } = world(t);
  const version = async (text: string) => {
    write('a.cfg', text);
    return (await reader.read(KEY)).version;
  };
  const first = await version('userlist a\n  user b password c\n');
  t.is(await version('userlist a\n  user b password hunter2\n'), first);
  t.not(await version('userlist a\n  user x password c\n'), first);
});

test('written after HAProxy began: not loaded; replaced by an older one: not known', async (t) => {
  const { reader, write } = world(t, 60_000);
  const state = async () => {
    const { loaded, why } = await reader.read(KEY);
    return [loaded, why.replace(/\S*\//, '')];
  };
  write('a.cfg', 'global\n', 61_000);
  t.deepEqual(await state(), ['yes', '']);
  write('a.cfg', 'global\n', 59_500);
  t.deepEqual(await state(), ['yes', ''], 'within the second that HAProxy does not tell');
  write('a.cfg', 'global\n', 30_000);
  t.deepEqual(await state(), [
    'no',
    'a.cfg was written after HAProxy began: service haproxy reload',
  ]);
});

test('what was touched after HAProxy began may be another file; without HAProxy nothing is known', async (t) => {
  const long = 400 * 24 * 3600 * 1000;
  const { reader, write, path } = world(t, long);
  write('a.cfg', 'global\n', long + 60_000);
  renameSync(path('a.cfg'), path('b.cfg'));
  renameSync(path('b.cfg'), path('a.cfg'));
  // It was made today, which is within the 400 days that HAProxy runs by the clock of this test.
  t.like(await reader.read(KEY), {
    loaded: 'unknown',
    why: `${path('a.cfg')} was replaced, or its owner or mode changed, after HAProxy began`,
  });
  const none = world(t, null);
  none.write('a.cfg', 'global\n');
  t.like(await none.reader.read(KEY), {
    startedAt: '',
    loaded: 'unknown',
    why: 'HAProxy does not answer on its stats socket',
  });
});

test('what cannot be read is said with what to do, beside the others', async (t) => {
  const { reader, write, name, path, doubt } = world(t);
  write('a.cfg', 'global\n');
  write('big.cfg', Buffer.alloc(LONGEST_FILE + 1, '#'));
  write('shut.cfg', 'global\n');
  chmodSync(path('shut.cfg'), 0);
  name('gone.cfg', '.');
  doubt('process 9 names no configuration file');
  const { files, problems, notes } = await reader.read(KEY);
  const isRoot = process.geteuid?.() === 0;
  t.deepEqual(
    files.map((file) => file.path),
    isRoot ? [path('a.cfg'), path('shut.cfg')] : [path('a.cfg')],
  );
  t.deepEqual(problems, [
    `${path('big.cfg')} has 1048577 bytes, and 1048576 are read: split it (HAProxy takes a directory), or compare it on the hosts`,
    ...(isRoot
      ? []
      : [
          `${path('shut.cfg')} cannot be read by the user of the agent: give its group the file (chgrp, chmod g+r)`,
        ]),
    `${path('gone.cfg')} is not there: put it back, or correct haproxy.config in agent.toml`,
    `${path('.')} is no regular file: name its files in haproxy.config`,
  ]);
  t.deepEqual(notes, [
    "not known for certain to be HAProxy's: process 9 names no configuration file",
  ]);
});

test('other bytes than UTF-8 and CR LF: read all the same, and said', async (t) => {
  const { reader, write, path } = world(t);
  write(
    'a.cfg',
    Buffer.from('userlist a\n user b password h\xe4\n user c password h\xf6\n# \xe4', 'latin1'),
  );
  write('b.cfg', fixture('haproxy-config/crlf.conf'));
  const { files, notes } = await reader.read(KEY);
  t.deepEqual(numbered([files[0]?.text ?? '']), [
    'userlist a\n user b password <secret-1>\n user c password <secret-2>\n# \u00E4',
  ]);
  t.is(files[1]?.text, fixture('haproxy-config/crlf.conf').replaceAll('\r', ''));
  t.deepEqual(notes, [
    `${path('a.cfg')} is not UTF-8: it is read as ISO 8859-1`,
    `${path('b.cfg')} has 7 lines that end in CR LF: shown without CR`,
  ]);
});

test('others have their turn while 10,000 servers with secrets are read', async (t) => {
  const { reader, write } = world(t);
  const line = (at: number) => `  server web${at} 10.0.${at >> 8}.${at & 255}:80 cookie w${at}`;
  const head = 'http-check send hdr Authorization hunter2';
  const lines = Array.from({ length: 10_000 }, (_, at) => line(at));
  write('a.cfg', ['backend WEB', `  ${head}`, ...lines].join('\n'));
  let turns = 0;
  let reading = true;
  const turn = (): void => {
    turns += 1;
    if (reading) setImmediate(turn);
  };
  turn();
  const { files } = await reader.read(KEY);
  reading = false;
  t.is(files[0]?.text.split('\n').length, 10_002);
  // 51 pieces, and the file itself.
  t.true(turns > 51, `${turns} turns`);
});

test('the stamp is another once a file is written, replaced or gone', async (t) => {
  const { reader, write, path } = world(t);
  write('a.cfg', 'global\n');
  const first = await reader.stamp();
  t.is(await reader.stamp(), first);
  write('a.cfg', 'global # x\n');
  const second = await reader.stamp();
  rmSync(path('a.cfg'));
  t.is(new Set([first, second, await reader.stamp()]).size, 3);
});
