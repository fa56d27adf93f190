import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { bind } from '../../agent/rpc/bound.ts';
import { giveToGroup } from '../../agent/rpc/listen.ts';
import { isRootsAlone } from '../../agent/sys/trust.ts';
import { giveDirectory, giveLog, keepDirectory } from '../../agent/privilege/account.ts';
import { journalOf, pemOf, takenOver } from './hostile.ts';
import { scriptedHelper } from './tools.ts';

// What the agent's user can write is hostile to whatever root does afterwards.
const asRoot = process.getuid?.() === 0 ? test : test.skip;

const facts = (path: string): string => {
  const { uid, gid, mode, nlink } = lstatSync(path);
  return `${uid} ${gid} ${(mode & 0o7777).toString(8)} ${nlink}`;
};

asRoot('release: a planted journal names a file of root, and it stays as it is', async (t) => {
  const host = await takenOver(t);
  const [outside, inside] = [join(host.folder, 'root.conf'), join(host.certs, 'root.conf')];
  for (const path of [outside, inside]) writeFileSync(path, 'root\n', { mode: 0o600 });
  const swaps = host.own('state/swaps');
  for (const path of [outside, inside]) {
    writeFileSync(join(swaps, 'swap-planted.json'), journalOf(path, 'root\n', 'evil\n'));
    chownSync(join(swaps, 'swap-planted.json'), host.account.uid, host.account.gid);
    const { code, said } = await host.agent('--release');
    t.deepEqual([code, readFileSync(path, 'utf8')], [1, 'root\n'], said);
    t.regex(said, /^proxyagent: not released: /m);
  }
});

asRoot('release: links that are planted in the state directory lead root nowhere', async (t) => {
  const host = await takenOver(t);
  const victim = join(host.folder, 'passwd');
  writeFileSync(victim, 'root\n', { mode: 0o600 });
  symlinkSync(victim, join(host.state, 'state.json.new'));
  symlinkSync(victim, join(host.state, 'state.json.1'));
  await host.agent('--release');
  t.deepEqual([readFileSync(victim, 'utf8'), facts(victim)], ['root\n', '0 0 600 1']);
  symlinkSync(join(host.folder), join(host.state, 'swaps'));
  writeFileSync(join(host.folder, 'swap-a.json.new'), 'root\n');
  await host.agent('--release');
  t.is(readFileSync(join(host.folder, 'swap-a.json.new'), 'utf8'), 'root\n');
});

asRoot('an agent that stays root takes no state directory of somebody else', async (t) => {
  const host = await takenOver(t, 'root');
  const victim = join(host.folder, 'passwd');
  writeFileSync(victim, 'root\n', { mode: 0o600 });
  symlinkSync(victim, join(host.state, 'state.json.new'));
  const { code, said } = await host.agent('--release');
  t.deepEqual([code, readFileSync(victim, 'utf8')], [1, 'root\n']);
  t.is(
    said,
    `proxyagent: not released: state = "${host.state}": others than root can write ${host.state}; ` +
      `chown -R root ${host.state}, chmod go-w ${host.state}\n`,
  );
  t.throws(() => keepDirectory(host.state));
});

asRoot('an agent.toml that the agent’s user can change is not carried out', async (t) => {
  const host = await takenOver(t);
  const proof = join(host.folder, 'proof');
  chownSync(host.config, host.account.uid, host.account.gid);
  const { code, said } = await host.agent('--release');
  t.is(code, 1);
  t.regex(said, /agent\.toml is not believed: nobody can write \S+agent\.toml; chown root /);
  chownSync(host.config, 0, 0);
  chownSync(host.folder, host.account.uid, host.account.gid);
  t.regex((await host.agent('--release')).said, /is not believed: nobody can write /);
  t.throws(() => lstatSync(proof));
});

asRoot('no file with a second name is given away, by state directory or log', async (t) => {
  const { folder, account } = await takenOver(t);
  const victim = join(folder, 'passwd');
  writeFileSync(victim, 'root\n', { mode: 0o600 });
  const state = join(folder, 'left');
  mkdirSync(join(state, 'swaps'), { recursive: true, mode: 0o700 });
  chmodSync(state, 0o700);
  linkSync(victim, join(state, 'swaps', 'swap-a.json'));
  const error = await t.throwsAsync(giveDirectory(state, account));
  t.is(
    error.message,
    `${state}/swaps/swap-a.json is a file that has a name elsewhere too: rm ${state}/swaps/swap-a.json`,
  );
  linkSync(victim, join(folder, 'agent.log'));
  await t.throwsAsync(giveLog('log.file', join(folder, 'agent.log'), account), {
    message: /a name elsewhere/,
  });
  t.is(facts(victim), '0 0 600 3');
});

asRoot('two names of one file within the state directory go together', async (t) => {
  const { folder, account } = await takenOver(t);
  const state = join(folder, 'left');
  mkdirSync(state, { mode: 0o700 });
  writeFileSync(join(state, 'state.json'), '', { mode: 0o600 });
  linkSync(join(state, 'state.json'), join(state, 'state.json.1'));
  await giveDirectory(state, account);
  t.is(facts(join(state, 'state.json.1')), `${account.uid} ${account.gid} 600 2`);
});

asRoot('root opens no log where anybody could put another file', async (t) => {
  const { folder, account } = await takenOver(t);
  const shared = join(folder, 'shared');
  mkdirSync(shared);
  chmodSync(shared, 0o1777);
  const below = join(folder, 'below');
  mkdirSync(join(below, 'logs'), { recursive: true });
  chownSync(below, account.uid, account.gid);
  for (const where of [shared, join(below, 'logs')])
    await t.throwsAsync(giveLog('log.file', join(where, 'agent.log'), account), {
      message: `log.file: ${where} must belong to root, because root opens the log`,
    });
  t.deepEqual([readdirSync(shared), readdirSync(join(below, 'logs'))], [[], []]);
});

asRoot('where the agent’s user can write, root follows nothing in a socket’s place', async (t) => {
  const { folder, account, own } = await takenOver(t);
  const victim = join(folder, 'passwd');
  writeFileSync(victim, 'root\n', { mode: 0o640 });
  symlinkSync(victim, join(folder, 'agent.sock'));
  giveToGroup(join(folder, 'agent.sock'), 'daemon');
  t.is(facts(victim), '0 0 640 1');
  const socket = { path: join(own('hers'), 'agent.sock'), group: 'root' };
  const seen: string[][] = [];
  const bound = await bind({ listen: [], socket }, () =>
    seen.push(readdirSync(join(folder, 'hers'))),
  );
  bound.close();
  t.deepEqual(seen, [[]]);
  mkdirSync(join(folder, 'run'));
  t.deepEqual(
    ['hers', 'run', 'nowhere'].map((name) => isRootsAlone(join(folder, name))),
    [false, true, false],
  );
  t.is(facts(join(folder, 'hers')).split(' ')[0], String(account.uid));
});

const helperOf = async (t: ExecutionContext) => {
  const scripted = await scriptedHelper(t);
  const pem = pemOf('site');
  const write = (path: string, text: string): Promise<string> =>
    scripted.helper.ask(['cert-write', path, String(Buffer.byteLength(text))], 20_000, text).then(
      () => 'ok',
      (error: unknown) => (error instanceof Error ? error.message : '').replace(/^.*?: /, ''),
    );
  return { ...scripted, pem, write };
};

asRoot('the helper: a file that is no certificate is not read, written or removed', async (t) => {
  const { certs, answer, write, pem } = await helperOf(t);
  const texts = {
    'haproxy.conf': 'global\n',
    'rndc.key': 'key "x" { secret "y"; };\n',
    'cron.pem': '* * * * * root id\n',
  };
  for (const [name, text] of Object.entries(texts)) {
    const path = join(certs, name);
    writeFileSync(path, text, { mode: 0o600 });
    const said = [
      await answer('cert-read', path),
      await write(path, pem),
      await answer('cert-remove', path),
    ];
    for (const one of said)
      t.regex(one, /^refused: (not named as a certificate|no certificate or key is in )/, name);
    t.is(readFileSync(path, 'utf8'), text);
  }
});

asRoot('the helper: what is no certificate is not written, under any name', async (t) => {
  const { certs, write, pem } = await helperOf(t);
  const path = join(certs, 'site.pem');
  const wrong = [
    '#!/bin/sh\nid\n',
    `${pem}* * * * * root id\n`,
    `  */5 * * * * root id\n${pem}`,
    `${pem}@reboot root id\n`,
    `@daily root id\r${pem}`,
    pem.replace('\n', '\n* * * * * root id\n'),
    `${pem}\0`,
    '-----BEGIN CERTIFICATE-----\nAAAA\n',
    '-----BEGIN PKCS7-----\nAAAA\n-----END PKCS7-----\n',
    '',
  ];
  for (const text of wrong)
    t.regex(await write(path, text), /^refused: (not what is|holds a NUL)/, text);
  for (const name of ['evil', 'evil.sh', 'sudoers', 'haproxy.conf', 'x.ocsp', 'list.txt'])
    t.regex(await write(join(certs, name), pem), /^refused: (not named as|only read)/, name);
  t.deepEqual(readdirSync(certs), []);
  const right = [
    pem,
    pem.replaceAll('\n', '\r\n'),
    `Bag Attributes\n    localKeyID: 01 02\nKey Attributes: <No Attributes>\nsubject=CN = a\n\n${pem}# end\n`,
    `Certificate:\n    Data:\n        Version: 3 (0x2)\n                    00:af:82\n${pem}`,
    pem
      .replaceAll('CERTIFICATE', 'RSA PRIVATE KEY')
      .replace('\n', '\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,0A\n\n'),
    `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${pem}`,
  ];
  for (const text of right) {
    t.is(await write(path, text), 'ok', text);
    t.is(readFileSync(path, 'utf8'), text);
  }
});

asRoot(
  'the helper: what haproxy.conf named at the start, and crt-lists, by their own rule',
  async (t) => {
    const scripted = await scriptedHelper(t, {}, (text) =>
      text.replace('lists=${8-} named=${9-}', 'lists=$4/list.txt named=$4/site'),
    );
    const { certs, helper, answer } = scripted;
    const give = (name: string, text: string): Promise<readonly string[]> =>
      helper.ask(['cert-write', join(certs, name), String(text.length)], 20_000, text);
    const list = '# sites\n/etc/ssl/a.pem [alpn h2] a.example\n\n@store/b b.example\n';
    await give('list.txt', list);
    await give('site', pemOf('site'));
    t.deepEqual(readdirSync(certs).sort(), ['list.txt', 'site']);
    t.is(await answer('cert-read', join(certs, 'list.txt')), 'ok');
    await t.throwsAsync(give('list.txt', '* * * * * root id\n'), {
      message: /not what is a certificate/,
    });
    t.regex(
      await answer('cert-remove', join(certs, 'list.txt')),
      /^refused: not a certificate or key/,
    );
    t.is(readFileSync(join(certs, 'list.txt'), 'utf8'), list);
  },
);

asRoot(
  'the helper: second names, and parents that others can write, are refused for reading too',
  async (t) => {
    const { certs, folder, answer, write, pem } = await helperOf(t);
    const key = join(folder, 'root.key');
    writeFileSync(key, pem, { mode: 0o600 });
    linkSync(key, join(certs, 'second.pem'));
    const all = async (path: string): Promise<string[]> => [
      await answer('cert-read', path),
      await write(path, pem),
      await answer('cert-remove', path),
    ];
    const twice = `refused: has another name elsewhere: ${certs}/second.pem`;
    t.deepEqual(await all(join(certs, 'second.pem')), [twice, twice, twice]);
    const inside = join(certs, 'a', 'b');
    mkdirSync(inside, { recursive: true });
    writeFileSync(join(inside, 'site.pem'), pem);
    for (const loose of [join(certs, 'a'), inside]) {
      chownSync(loose, 65534, 0);
      const why = `refused: ${loose} can be written by others than root`;
      t.deepEqual(await all(join(inside, 'site.pem')), [why, why, why]);
      chownSync(loose, 0, 0);
    }
    t.is(await answer('cert-read', join(inside, 'site.pem')), 'ok');
  },
);

asRoot('the helper: a directory that haproxy.conf implies is that one alone', async (t) => {
  const scripted = await scriptedHelper(t, {}, (text) =>
    text.replace('directories=$4', 'directories=$4/.'),
  );
  const { certs, answer } = scripted;
  mkdirSync(join(certs, 'below'));
  for (const path of ['site.pem', 'below/site.pem'])
    writeFileSync(join(certs, path), pemOf('site'));
  t.is(await answer('cert-read', join(certs, 'site.pem')), 'ok');
  t.regex(
    await answer('cert-read', join(certs, 'below/site.pem')),
    /^refused: outside the directories/,
  );
});
