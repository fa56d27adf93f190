import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { isSystemError, makeDirectories, replaceFile } from '../../agent/sys/files.ts';

function newFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-files-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a new file: content and mode as asked, whatever the umask, and nothing beside it', async (t) => {
  const folder = newFolder(t);
  const path = join(folder, 'state.json');
  await replaceFile(path, 'über\n', 0o640);
  t.is(readFileSync(path, 'utf8'), 'über\n');
  t.is(statSync(path).mode & 0o7777, 0o640);
  t.deepEqual(readdirSync(folder), ['state.json']);
});

test('an existing file is replaced by another of the mode asked for; who has it open reads the old one on', async (t) => {
  const path = join(newFolder(t), 'state.json');
  writeFileSync(path, 'old');
  chmodSync(path, 0o666);
  const before = statSync(path).ino;
  await replaceFile(path, 'new', 0o600);
  t.is(readFileSync(path, 'utf8'), 'new');
  t.is(statSync(path).mode & 0o7777, 0o600);
  t.not(statSync(path).ino, before);
});

test('what a crash left beside it is no obstacle', async (t) => {
  const folder = newFolder(t);
  const path = join(folder, 'state.json');
  writeFileSync(`${path}.new`, 'half of a much longer text than the new one');
  chmodSync(`${path}.new`, 0o644);
  await replaceFile(path, 'new', 0o600);
  t.is(readFileSync(path, 'utf8'), 'new');
  t.is(statSync(path).mode & 0o7777, 0o600);
  t.deepEqual(readdirSync(folder), ['state.json']);
});

test('the old one kept under another name: at its first, second and every later replacement', async (t) => {
  const folder = newFolder(t);
  const path = join(folder, 'f');
  const seen: unknown[] = [];
  for (const content of ['one', 'two', 'three', 'four']) {
    await replaceFile(path, content, 0o600, `${path}.1`);
    seen.push(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  }
  t.deepEqual(seen, [
    [['f', 'one']],
    [
      ['f', 'two'],
      ['f.1', 'one'],
    ],
    [
      ['f', 'three'],
      ['f.1', 'two'],
    ],
    [
      ['f', 'four'],
      ['f.1', 'three'],
    ],
  ]);
});

test('kept also where a crash came between keeping and replacing', async (t) => {
  const folder = newFolder(t);
  const path = join(folder, 'f');
  await replaceFile(path, 'one', 0o600, `${path}.1`);
  // Both names are one file then, and what was being linked may be there still.
  linkSync(path, `${path}.1`);
  linkSync(path, `${path}.1.new`);
  await replaceFile(path, 'two', 0o600, `${path}.1`);
  t.deepEqual(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
    [
      ['f', 'two'],
      ['f.1', 'one'],
    ],
  );
});

test('a replacement that cannot be: the system says why, and the old files stay', async (t) => {
  const folder = newFolder(t);
  const path = join(folder, 'f');
  await replaceFile(path, 'one', 0o600);
  await replaceFile(path, 'two', 0o600, `${path}.1`);
  mkdirSync(`${path}.new`);
  await t.throwsAsync(replaceFile(path, 'three', 0o600, `${path}.1`), { code: 'EISDIR' });
  await t.throwsAsync(replaceFile(join(folder, 'no', 'f'), 'x', 0o600), { code: 'ENOENT' });
  t.deepEqual([readFileSync(path, 'utf8'), readFileSync(`${path}.1`, 'utf8')], ['two', 'one']);
});

test('of what could not be written nothing stays: there may be a key in it', async (t) => {
  const folder = newFolder(t);
  const path = join(folder, 'f');
  await replaceFile(path, 'one', 0o600);
  async function* halfway(): AsyncGenerator<string> {
    yield 'half of a key';
    throw new Error('no room');
  }
  const content = halfway() as unknown as string;
  await t.throwsAsync(replaceFile(path, content, 0o600), { message: 'no room' });
  t.deepEqual([readdirSync(folder), readFileSync(path, 'utf8')], [['f'], 'one']);
});

test('killed at any moment, a reader sees the old or the new content, whole', async (t) => {
  const folder = newFolder(t);
  const path = join(folder, 'f');
  const writer = fileURLToPath(new URL('writer.js', import.meta.url));
  let rounds = 0;
  for (let kill = 1; kill <= 12; kill++) {
    const child = spawn(process.execPath, [writer, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    let lines = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      lines += chunk.length;
      // Each byte is one replacement done; the next is under way.
      if (lines >= kill * 3) child.kill('SIGKILL');
    });
    await ended;
    rounds += lines;
    for (const name of [path, `${path}.1`]) {
      const content = readFileSync(name, 'utf8');
      t.is(content.length, 100_000);
      t.deepEqual(new Set(content).size, 1);
    }
  }
  t.true(rounds > 12);
});

test('a system error is told by its code, and nothing else is one', (t) => {
  const missing = Object.assign(new Error('no'), { code: 'ENOENT' });
  t.deepEqual(
    [missing, new Error('ENOENT'), { code: 'ENOENT' }, 'ENOENT', null].map((error) =>
      isSystemError(error, 'ENOENT'),
    ),
    [true, false, false, false, false],
  );
  t.false(isSystemError(missing, 'EACCES'));
});

test('directories are made with the mode asked for, and one that is there stays as it is', (t) => {
  const folder = newFolder(t);
  chmodSync(folder, 0o755);
  const path = join(folder, 'a/b');
  makeDirectories(path, 0o700);
  makeDirectories(path, 0o755);
  const mode = (of: string): string => (statSync(of).mode & 0o777).toString(8);
  t.deepEqual([folder, join(folder, 'a'), path].map(mode), ['755', '700', '700']);
});

test('a directory below a file, or below /proc, is an error at once with the path that was asked for', (t) => {
  const folder = newFolder(t);
  writeFileSync(join(folder, 'file'), '');
  const failed = (path: string) =>
    t.throws<NodeJS.ErrnoException>(() => makeDirectories(path, 0o700));
  const below = join(folder, 'file/a/b');
  t.like(failed(below), { code: 'ENOTDIR', path: below });
  t.like(failed(join(folder, 'file')), { code: 'EEXIST' });
  const inProc = '/proc/proxyctl/log';
  if (process.platform === 'linux') t.like(failed(inProc), { code: 'ENOENT', path: inProc });
});
