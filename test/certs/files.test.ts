import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { certificateFiles as files, CertificateFileError } from '../../agent/certs/files.ts';

const OLD = 'old\n';
const NEW = 'new\n';

/** A directory with `names`, each with the old content and mode 0640. */
function folderWith(t: ExecutionContext, ...names: readonly string[]): string {
  const folder = mkdtempSync('/tmp/ce-files-');
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  for (const name of names) {
    writeFileSync(join(folder, name), OLD);
    chmodSync(join(folder, name), 0o640);
  }
  return folder;
}

const found = (folder: string) =>
  readdirSync(folder)
    .sort()
    .map((name) => {
      const path = join(folder, name);
      return [name, readFileSync(path, 'utf8'), (statSync(path).mode & 0o777).toString(8)];
    });

test('staged, a file stands beside the old one with its mode; installed, it is in its place', async (t) => {
  const folder = folderWith(t, 'a.pem');
  const path = join(folder, 'a.pem');
  await files.stage([{ path, pem: NEW }]);
  t.deepEqual(found(folder), [
    ['.a.pem.proxyctl', NEW, '640'],
    ['a.pem', OLD, '640'],
  ]);
  await files.install([{ path, pem: NEW }]);
  t.deepEqual(found(folder), [['a.pem', NEW, '640']]);
});

test('what was staged with other content, or not at all, is written before it is put in place', async (t) => {
  const folder = folderWith(t, 'a.pem', 'b.pem');
  const [a, b] = [join(folder, 'a.pem'), join(folder, 'b.pem')];
  await files.stage([{ path: a, pem: 'another\n' }]);
  await files.install([
    { path: a, pem: NEW },
    { path: b, pem: NEW },
  ]);
  t.deepEqual(found(folder), [
    ['a.pem', NEW, '640'],
    ['b.pem', NEW, '640'],
  ]);
});

test('unstaged, only the old ones are there, also when it is done twice', async (t) => {
  const folder = folderWith(t, 'a.pem', 'b.pem');
  const paths = [join(folder, 'a.pem'), join(folder, 'b.pem')];
  await files.stage(paths.map((path) => ({ path, pem: NEW })));
  await files.unstage(paths);
  await files.unstage(paths);
  t.deepEqual(found(folder), [
    ['a.pem', OLD, '640'],
    ['b.pem', OLD, '640'],
  ]);
});

test('a new file gets 0600; a link stays a link, and a dangling one is refused', async (t) => {
  const folder = folderWith(t, 'real.pem');
  symlinkSync('real.pem', join(folder, 'link.pem'));
  symlinkSync('nowhere.pem', join(folder, 'dangling.pem'));
  const at = (name: string) => join(folder, name);
  await files.install([
    { path: at('new.pem'), pem: NEW },
    { path: at('link.pem'), pem: NEW },
  ]);
  const error = await t.throwsAsync(files.stage([{ path: at('dangling.pem'), pem: NEW }]), {
    instanceOf: CertificateFileError,
  });
  t.deepEqual(
    [error.code, error.message],
    ['ENOENT', `write beside ${at('dangling.pem')}: ENOENT`],
  );
  rmSync(at('dangling.pem'));
  t.deepEqual(found(folder), [
    ['link.pem', NEW, '640'],
    ['new.pem', NEW, '600'],
    ['real.pem', NEW, '640'],
  ]);
});

test('many at once, one of which cannot be written: the error names it, and nothing is in place', async (t) => {
  const names = Array.from({ length: 70 }, (_, at) => `${at}.pem`);
  const folder = folderWith(t, ...names);
  // Where the new file would stand is a directory with something in it.
  mkdirSync(join(folder, '.40.pem.proxyctl', 'full'), { recursive: true });
  const all = names.map((name) => ({ path: join(folder, name), pem: NEW }));
  const error = await t.throwsAsync(files.stage(all), { instanceOf: CertificateFileError });
  t.true(error.message.startsWith(`write beside ${join(folder, '40.pem')}: `), error.message);
  rmSync(join(folder, '.40.pem.proxyctl'), { recursive: true });
  await files.unstage(all.map(({ path }) => path));
  t.deepEqual(
    found(folder).map(([, text]) => text),
    names.map(() => OLD),
  );
});
