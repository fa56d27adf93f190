import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { isMissing } from '../../agent/certs/files.ts';
import { helperFiles, readByHelper } from '../../agent/privilege/acts.ts';
import { startHelper } from '../../agent/privilege/helper.ts';
import { eventually } from '../record.ts';
import { scriptedHelper } from './tools.ts';

// Only root has directories that nobody else can write, and may give files away.
const asRoot = process.getuid?.() === 0 ? test : test.skip;
const OLD = 'subject=CN = Ä\n-----BEGIN CERTIFICATE-----\r\nT0xE\r\n-----END CERTIFICATE-----\n\n';
const NEW = `-----BEGIN PRIVATE KEY-----\n${'QUJD+/=\n'.repeat(2000)}-----END PRIVATE KEY-----`;

const facts = (path: string) => {
  const { uid, gid, mode } = statSync(path);
  return { uid, gid, mode: (mode & 0o7777).toString(8), text: readFileSync(path, 'utf8') };
};

asRoot('a file is replaced byte for byte, owner and mode kept; a new one is 0600', async (t) => {
  const { helper, certs } = await scriptedHelper(t);
  const files = helperFiles(helper);
  const path = join(certs, 'site.pem');
  writeFileSync(path, OLD);
  chownSync(path, 65534, 12);
  chmodSync(path, 0o640);
  await files.install([{ path: path, pem: NEW }]);
  t.deepEqual(facts(path), { uid: 65534, gid: 12, mode: '640', text: NEW });
  await files.install([{ path: path, pem: OLD }]);
  t.deepEqual(facts(path), { uid: 65534, gid: 12, mode: '640', text: OLD });
  await files.install([{ path: join(certs, 'new.pem'), pem: NEW }]);
  t.deepEqual(facts(join(certs, 'new.pem')), { uid: 0, gid: 0, mode: '600', text: NEW });
  t.deepEqual(readdirSync(certs).sort(), ['new.pem', 'site.pem']);
});

asRoot('a file is removed, twice too; one that is outside or not a file is not', async (t) => {
  const { helper, certs, folder, answer } = await scriptedHelper(t);
  const files = helperFiles(helper);
  const [path, outside] = [join(certs, 'site.pem'), join(folder, 'outside.pem')];
  for (const one of [path, outside]) writeFileSync(one, OLD);
  symlinkSync(outside, join(certs, 'link.pem'));
  mkdirSync(join(certs, 'archive'));
  await files.remove(path);
  await files.remove(path);
  t.deepEqual(
    [
      await answer('cert-remove', outside),
      await answer('cert-remove', join(certs, 'link.pem')),
      await answer('cert-remove', join(certs, 'archive')),
      await answer('cert-remove', path, '1'),
    ],
    [
      `refused: outside the directories named in agent.toml: ${outside}`,
      `refused: outside the directories named in agent.toml: ${certs}/link.pem`,
      `refused: no regular file: ${certs}/archive`,
      'refused: cert-remove needs PATH',
    ],
  );
  t.deepEqual(
    [readdirSync(certs).sort(), readFileSync(outside, 'utf8')],
    [['archive', 'link.pem'], OLD],
  );
  chownSync(certs, 65534, 0);
  const error = await t.throwsAsync(files.remove(join(certs, 'link2.pem')));
  t.true(error.message.endsWith(`${certs} can be written by others than root`), error.message);
});

asRoot('staging does all but the last step and leaves nothing', async (t) => {
  const { helper, certs } = await scriptedHelper(t);
  const path = join(certs, 'site.pem');
  writeFileSync(path, OLD, { mode: 0o600 });
  await helperFiles(helper).stage([{ path, pem: NEW }]);
  t.deepEqual(
    [facts(path), readdirSync(certs)],
    [{ uid: 0, gid: 0, mode: '600', text: OLD }, ['site.pem']],
  );
});

asRoot('cert-read gives the bytes back as they are', async (t) => {
  const { certs, ask } = await scriptedHelper(t);
  const path = join(certs, 'site.pem');
  for (const text of [OLD, NEW, '']) {
    writeFileSync(path, text);
    const hex = (await ask('cert-read', path)).join('').replaceAll(/\s/g, '');
    t.is(Buffer.from(hex, 'hex').toString('utf8'), text);
  }
});

asRoot('a file that is not there is the same error as without the helper', async (t) => {
  const { certs, helper } = await scriptedHelper(t);
  const missing = await t.throwsAsync(readByHelper(helper, join(certs, 'none.pem')));
  const refused = await t.throwsAsync(readByHelper(helper, '/etc/none.pem'));
  t.deepEqual([isMissing(missing), isMissing(refused)], [true, false]);
  t.true(isMissing(await t.throwsAsync(helperFiles(helper).read(join(certs, 'none.pem')))));
});

asRoot(
  'paths outside, by name, by dots or by links, are refused and nothing is touched',
  async (t) => {
    const { helper, certs, folder, ask, answer } = await scriptedHelper(t);
    const outside = join(folder, 'outside.pem');
    writeFileSync(outside, OLD);
    symlinkSync(outside, join(certs, 'link.pem'));
    symlinkSync(folder, join(certs, 'up'));
    symlinkSync(join(certs, 'nowhere'), join(certs, 'dangling.pem'));
    mkdirSync(join(folder, 'certs-other'));
    const paths = [
      [outside, 'outside the directories named in agent.toml'],
      ['/etc/passwd', 'outside the directories named in agent.toml'],
      [join(folder, 'certs-other', 'x.pem'), 'outside the directories named in agent.toml'],
      [`${certs}/../outside.pem`, 'not a plain path'],
      [`${certs}//site.pem`, 'not a plain path'],
      [`${certs}/.`, 'not a plain path'],
      ['certs/site.pem', 'not an absolute path'],
      [join(certs, 'link.pem'), 'outside the directories named in agent.toml'],
      [join(certs, 'up', 'outside.pem'), 'outside the directories named in agent.toml'],
      [join(certs, 'dangling.pem'), 'no regular file'],
      [certs, 'no regular file'],
    ] as const;
    for (const [path, why] of paths) {
      t.is(await answer('cert-read', path), `refused: ${why}: ${path}`);
      const error = await t.throwsAsync(helper.ask(['cert-write', path, '3'], 10_000, 'abc'));
      t.true(error.message.endsWith(`refused: ${why}: ${path}`), error.message);
    }
    // The content of a refused write is taken away with it.
    t.deepEqual(await ask('advertise'), []);
    t.is(readFileSync(outside, 'utf8'), OLD);
  },
);

asRoot('a link inside stays a link, and the file behind it is replaced', async (t) => {
  const { helper, certs } = await scriptedHelper(t);
  mkdirSync(join(certs, 'archive'));
  writeFileSync(join(certs, 'archive', 'site1.pem'), OLD, { mode: 0o600 });
  symlinkSync('archive/site1.pem', join(certs, 'site.pem'));
  await helperFiles(helper).install([{ path: join(certs, 'site.pem'), pem: NEW }]);
  t.is(readFileSync(join(certs, 'archive', 'site1.pem'), 'utf8'), NEW);
});

asRoot('a directory that others can write is refused: they could plant a link there', async (t) => {
  const { helper, certs } = await scriptedHelper(t);
  const path = join(certs, 'site.pem');
  writeFileSync(path, OLD);
  for (const [uid, mode] of [
    [0, 0o775],
    [0, 0o777],
    [65534, 0o755],
  ] as const) {
    chownSync(certs, uid, 0);
    chmodSync(certs, mode);
    const error = await t.throwsAsync(helperFiles(helper).install([{ path: path, pem: NEW }]));
    t.true(error.message.endsWith(`${certs} can be written by others than root`), error.message);
  }
  t.is(readFileSync(path, 'utf8'), OLD);
});

asRoot('without directories every path is outside', async (t) => {
  const { certs, answer } = await scriptedHelper(t, { directories: ['/no/such/directory'] });
  writeFileSync(join(certs, 'site.pem'), OLD);
  t.is(
    await answer('cert-read', join(certs, 'site.pem')),
    `refused: outside the directories named in agent.toml: ${certs}/site.pem`,
  );
});

asRoot('content that ends early leaves the old file', async (t) => {
  const { helper, certs } = await scriptedHelper(t);
  const path = join(certs, 'site.pem');
  writeFileSync(path, OLD);
  const cut = helper.ask(['cert-write', path, '100'], 10_000, 'only this');
  helper.close();
  const error = await t.throwsAsync(cut);
  await helper.ended;
  t.true(error.message.endsWith(`failed: cut short: ${path}`), error.message);
  t.deepEqual([readFileSync(path, 'utf8'), readdirSync(certs)], [OLD, ['site.pem']]);
});

asRoot(
  'a helper killed in mid-write leaves a part of a key: the next one removes it',
  async (t) => {
    const { helper, certs, folder, options } = await scriptedHelper(t);
    const inside = join(certs, 'more');
    mkdirSync(inside);
    const path = join(inside, 'site.pem');
    writeFileSync(path, OLD);
    const cut = t.throwsAsync(helper.ask(['cert-write', path, '100'], 10_000, 'a part of a key'));
    const beside = join(inside, '.site.pem.proxyctl');
    const written = () => existsSync(beside) && readFileSync(beside, 'utf8') !== OLD;
    await eventually(written);
    process.kill(-helper.pid, 'SIGKILL');
    await cut;
    await helper.ended;
    t.true(existsSync(beside));
    // Files of others that only look like it: outside the directories, not root's, a link.
    const others = [
      join(folder, '.a.pem.proxyctl'),
      join(certs, '.b.proxyctl'),
      join(certs, '.c.proxyctl'),
    ];
    const [outside = '', notRoots = '', link = ''] = others;
    writeFileSync(outside, OLD);
    writeFileSync(notRoots, OLD);
    chownSync(notRoots, 65534, 0);
    symlinkSync(outside, link);
    const next = await startHelper(options);
    t.teardown(() => next.close());
    t.deepEqual(
      [existsSync(beside), others.map((one) => existsSync(one))],
      [false, [true, true, true]],
    );
    t.is(readFileSync(path, 'utf8'), OLD);
  },
);
