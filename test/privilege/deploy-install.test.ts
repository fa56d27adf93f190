import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { deployingHost, deployment, facts, NEW, OLD, pkiOf, sha256, sign } from './deploying.ts';
import { asRoot } from './somebody.ts';

const pki = await pkiOf();
const alice = await pki.operator('alice', 'admin');

asRoot(
  'a configuration is replaced byte for byte, owner and mode kept, and put back',
  async (t) => {
    const host = await deployingHost(t, pki);
    const { deployments, config } = host;
    const bytes = 'global\n\0\u00e4\r\n\n\nno end';
    chownSync(config, 0, 12);
    chmodSync(config, 0o640);
    const one = deployment({}, bytes);
    const before = facts(config);
    t.is((await deployments.install(sign(one, alice), sha256(OLD))).kind, 'done');
    t.deepEqual(facts(config), { ...before, text: bytes });
    t.deepEqual(host.left(), { etc: ['haproxy.conf'], store: [String(one.number), 'last'] });
    for (let times = 0; times < 2; times++) {
      t.deepEqual(await deployments.back(one.number), { kind: 'done', lines: [] });
      t.deepEqual(facts(config), before);
    }
    t.deepEqual(await deployments.keep(one.number), { kind: 'refused', why: 'it was taken back' });
    t.deepEqual(host.left(), { etc: ['haproxy.conf'], store: [String(one.number), 'last'] });
  },
);

asRoot(
  'a check says what HAProxy says of the staged one, by its own name, and leaves nothing',
  async (t) => {
    const host = await deployingHost(t, pki);
    const { deployments, config } = host;
    const good = sign(deployment({ purpose: 'check' }), alice);
    const bad = sign(deployment({}, 'global\n\tBAD\n'), alice);
    t.deepEqual(await deployments.check(good), {
      kind: 'done',
      lines: [`[NOTICE] ${config}:1 read`],
    });
    const unsound = {
      kind: 'unsound',
      why: 'exit 1',
      lines: [`[NOTICE] ${config}:1 read`, `[ALERT] ${config}:2 BAD`],
    };
    t.deepEqual(await deployments.check(bad), unsound);
    t.deepEqual(await deployments.install(bad, null), unsound);
    // Where the real one is, so that what it names relative to itself is found; and as root has it.
    t.regex(host.checked()[0] ?? '', /^-f \/.*\/etc\/\.haproxy\.conf\.proxyctl-\d+ CERTS=$/);
    t.deepEqual([host.text(), host.left()], [OLD, { etc: ['haproxy.conf'], store: [] }]);
  },
);

asRoot(
  'what is kept is not taken back, and what was changed by hand is not overwritten',
  async (t) => {
    const host = await deployingHost(t, pki);
    const { deployments, config } = host;
    const [one, two] = [deployment(), deployment({}, `${NEW}#\n`)];
    t.is((await deployments.install(sign(one, alice), null)).kind, 'done');
    for (let times = 0; times < 2; times++)
      t.deepEqual(await deployments.keep(one.number), { kind: 'done', lines: [] });
    t.deepEqual(await deployments.back(one.number), {
      kind: 'refused',
      why: 'it is kept: push the one before again',
    });
    writeFileSync(config, 'by hand\n');
    t.deepEqual(await deployments.install(sign(two, alice), sha256(NEW)), {
      kind: 'refused',
      why: `${config} is not what it was: somebody has changed it meanwhile`,
    });
    t.is((await deployments.install(sign(two, alice), sha256('by hand\n'))).kind, 'done');
    t.deepEqual(await deployments.back(one.number), {
      kind: 'refused',
      why: `the last one installed is ${two.number}, not ${one.number}`,
    });
    writeFileSync(config, 'by hand again\n');
    t.deepEqual(await deployments.back(two.number), {
      kind: 'refused',
      why: `${config} was changed by hand since: look what is in ${host.store}/${two.number}/before`,
    });
    t.is(host.text(), 'by hand again\n');
  },
);

asRoot('who, when and why of the last ten stay, and their messages', async (t) => {
  const host = await deployingHost(t, pki);
  const { deployments } = host;
  t.deepEqual(await deployments.state(), {
    digest: sha256(OLD),
    form: 'file',
    last: 0,
    state: 'none',
    versions: [],
  });
  const made = [];
  for (let at = 0; at < 12; at++) {
    const one = deployment({ reason: at === 11 ? '' : `${at} \u00e4 "$(id)" \\` }, `# ${at}\n`);
    const message = sign(one, alice);
    t.is((await deployments.install(message, null)).kind, 'done');
    made.push({ one, message });
  }
  const state = await deployments.state();
  const ten = made.slice(2).reverse();
  t.deepEqual(state, {
    digest: sha256('# 11\n'),
    form: 'file',
    last: ten[0]?.one.number ?? 0,
    state: 'pending',
    versions: ten.map(({ one }, at) => ({
      number: one.number,
      who: 'alice',
      madeS: one.madeS,
      installedS: state.versions[at]?.installedS ?? 0,
      digest: sha256(`# ${11 - at}\n`),
      before: sha256(`# ${10 - at}\n`),
      reason: one.reason,
    })),
  });
  const [first, last] = [made[0], made[11]];
  t.deepEqual(await deployments.message(last?.one.number ?? 0), last?.message);
  await t.throwsAsync(deployments.message(first?.one.number ?? 0), {
    message: /no version \d+ is kept$/,
  });
});

asRoot(
  'a file that somebody else could change, or that leads elsewhere, is not replaced',
  async (t) => {
    const host = await deployingHost(t, pki);
    const { deployments, config, folder } = host;
    const etc = join(folder, 'etc');
    const why = async (): Promise<string> => {
      const answer = await deployments.install(sign(deployment(), alice), null);
      return `${answer.kind} ${answer.kind === 'done' ? '' : answer.why.replaceAll(folder, '')}`;
    };
    const loose =
      'refused not a plain file that only root can write, or it has another name elsewhere: /etc/haproxy.conf';
    const said: string[] = [];
    chmodSync(config, 0o664);
    said.push(await why());
    chmodSync(config, 0o644);
    chownSync(config, 65_534, 0);
    said.push(await why());
    chownSync(config, 0, 0);
    linkSync(config, join(etc, 'second'));
    said.push(await why());
    rmSync(join(etc, 'second'));
    chownSync(etc, 65_534, 0);
    said.push(await why());
    chownSync(etc, 0, 0);
    chmodSync(etc, 0o1777);
    said.push(await why());
    chmodSync(etc, 0o755);
    renameSync(config, join(folder, 'real'));
    said.push(await why());
    symlinkSync(join(folder, 'real'), config);
    said.push(await why());
    const outside = 'haproxy.config of agent.toml has to be there, and no link: /etc/haproxy.conf';
    t.deepEqual(said, [
      loose,
      loose,
      loose,
      'refused /etc can be written by others than root',
      'refused /etc can be written by others than root',
      `refused ${outside}`,
      `refused ${outside}`,
    ]);
    t.is(readFileSync(join(folder, 'real'), 'utf8'), OLD);
    rmSync(config);
    renameSync(join(folder, 'real'), config);
    t.is(await why(), 'done ');
  },
);

asRoot('a CA or a store that somebody else could change is not believed', async (t) => {
  const host = await deployingHost(t, pki);
  const { deployments, folder, store } = host;
  const why = async (): Promise<string> => {
    const answer = await deployments.check(sign(deployment(), alice));
    return `${answer.kind} ${answer.kind === 'done' ? '' : answer.why.replaceAll(folder, '')}`;
  };
  const ca = join(folder, 'ca.pem');
  chownSync(ca, 65_534, 0);
  t.is(await why(), 'refused /ca.pem can be written by others than root');
  chownSync(ca, 0, 0);
  renameSync(ca, join(folder, 'other.pem'));
  symlinkSync(join(folder, 'other.pem'), ca);
  t.is(await why(), 'refused tls.ca of agent.toml has to be a file and no link: /ca.pem');
  rmSync(ca);
  writeFileSync(ca, pki.ca.certificate.repeat(9));
  t.is(await why(), 'refused more than 8 CAs in /ca.pem');
  writeFileSync(ca, pki.ca.certificate);
  chownSync(store, 65_534, 0);
  t.is(await why(), 'refused /deployed can be written by others than root');
  chownSync(store, 0, 0);
  writeFileSync(join(store, 'last'), 'x y\n');
  t.is(
    await why(),
    'refused /deployed/last is damaged: root removes it once it is known what is installed',
  );
  writeFileSync(join(store, 'last'), '');
  t.regex(await why(), /is damaged/);
  rmSync(join(store, 'last'));
  t.is(await why(), 'done ');
});

asRoot(
  'a check that does not name haproxy.conf, or none, is no check of the new one',
  async (t) => {
    for (const [check, why] of [
      [
        ['/bin/true'],
        /^haproxy\.check of agent\.toml does not name \/.*\/haproxy\.conf: write it as a word of its own, behind -f$/,
      ],
      [[], /^haproxy\.check of agent\.toml does not name/],
    ] as const) {
      const host = await deployingHost(t, pki, { options: { check } });
      const answer = await host.deployments.check(sign(deployment(), alice));
      t.regex(answer.kind === 'refused' ? answer.why : answer.kind, why);
      t.deepEqual(host.left(), { etc: ['haproxy.conf'], store: [] });
    }
  },
);

asRoot(
  'a message that is too long, cut short or asked for wrongly is taken away whole',
  async (t) => {
    const host = await deployingHost(t, pki);
    const { helper, answer, deployments } = host;
    const long = Buffer.alloc(4_100_001, 'x\n');
    const error = await t.throwsAsync(
      helper.ask(['deploy-check', String(long.length)], 20_000, long),
    );
    t.true(error.message.endsWith(': refused: 4100001 bytes; at most 4100000 are taken'));
    t.deepEqual(await deployments.check(long), {
      kind: 'refused',
      why: 'it has 4100001 bytes; at most 4100000 are taken',
    });
    t.deepEqual(
      [
        await answer('deploy-check'),
        await answer('deploy-check', 'x'),
        await answer('deploy-back', '01'),
        await answer('deploy-show', '../last'),
        await answer('deploy-keep', '1', '2'),
        await answer('deploy-list', '1'),
        await answer('deploy-nothing', '1'),
        await answer('advertise'),
      ],
      [
        'refused: deploy-check has other arguments',
        'refused: no length: x',
        'refused: no number: 01',
        'refused: no number: ../last',
        'refused: deploy-keep has other arguments',
        'refused: deploy-list has other arguments',
        'refused: no such verb: deploy-nothing',
        'ok',
      ],
    );
    const message = sign(deployment(), alice);
    const cut = helper.ask(['deploy-install', String(message.length)], 20_000, message.subarray(9));
    helper.close();
    t.true((await t.throwsAsync(cut)).message.endsWith(': failed: cut short'));
    await helper.ended;
    t.deepEqual([host.text(), host.left()], [OLD, { etc: ['haproxy.conf'], store: [] }]);
  },
);

asRoot('a directory is replaced whole: files that stay keep owner and mode', async (t) => {
  const conf = join('etc', 'conf.d');
  const host = await deployingHost(t, pki, { directory: true });
  const { deployments, folder } = host;
  const at = (name: string): string => join(folder, conf, name);
  const before = host.tree();
  const one = deployment({
    form: 'directory',
    files: [
      { path: '10-global.cfg', content: Buffer.from('new\n') },
      { path: '30-new.cfg', content: Buffer.from('') },
      { path: 'maps/a.map', content: Buffer.from('x') },
      { path: 'more/b.map', content: Buffer.from('y\n') },
    ],
  });
  const { digest } = await deployments.state();
  t.is((await deployments.install(sign(one, alice), digest)).kind, 'done');
  t.deepEqual(host.tree(), [
    '. 0 0 755',
    '10-global.cfg 0 12 640 new\n',
    '30-new.cfg 0 12 640 ',
    'maps 0 0 750',
    'maps/a.map 0 0 600 x',
    'more 0 0 755',
    'more/b.map 0 12 640 y\n',
  ]);
  t.deepEqual(host.left().etc, ['conf.d', 'haproxy.conf']);
  const { versions, ...now } = await deployments.state();
  const lines = one.files
    .map(({ path, content }) => `${sha256(String(content))} *./${path}\n`)
    .join('');
  t.deepEqual(
    [now, versions[0]?.digest, versions[0]?.before],
    [
      { digest: sha256(lines), form: 'directory', last: one.number, state: 'pending' },
      sha256(lines),
      digest,
    ],
  );
  t.is((await deployments.back(one.number)).kind, 'done');
  t.deepEqual(host.tree(), before);
  // A link in it leads out of it, and a single file is none.
  symlinkSync('/etc/passwd', at('40.cfg'));
  const again = { ...one, number: one.number + 1 };
  t.deepEqual(await deployments.install(sign(again, alice), null), {
    kind: 'refused',
    why: `not a plain file that only root can write, or it has another name elsewhere: ${at('40.cfg')}`,
  });
  rmSync(at('40.cfg'));
  mkdirSync(at('open'));
  chmodSync(at('open'), 0o777);
  t.is((await deployments.install(sign(again, alice), null)).kind, 'refused');
  rmSync(at('open'), { recursive: true });
  const file = deployment();
  t.deepEqual(await deployments.install(sign(file, alice), null), {
    kind: 'refused',
    why: `signed as a file, and ${join(folder, conf)} is a directory`,
  });
});
