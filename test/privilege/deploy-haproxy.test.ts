import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { installedHaproxy } from '../lab/lab.ts';
import { deployingHost, deployment, pkiOf, sign } from './deploying.ts';

// HAProxy itself looks at the staged one.

const haproxy = installedHaproxy();
const both = process.getuid?.() === 0 && haproxy !== '' ? test : test.skip;
const pki = await pkiOf();
const alice = await pki.operator('alice', 'admin');
const slow = (): string[] => [haproxy, '-c', '-f'];

const DEFAULTS =
  'defaults\n\tmode http\n\ttimeout client 1s\n\ttimeout connect 1s\n\ttimeout server 1s\n';
const FRONTEND = 'frontend x\n\tbind 127.0.0.1:1\n';

both('HAProxy takes one that is right, with what lies beside the real one', async (t) => {
  const host = await deployingHost(t, pki, {
    slow,
    prepare(folder) {
      mkdirSync(join(folder, 'etc'));
      writeFileSync(join(folder, 'etc/hosts.map'), 'a b\n');
    },
  });
  const map = `\thttp-request deny if { path,map(hosts.map) -m found }\n`;
  const text = `global\n\tdefault-path config\n${DEFAULTS}${FRONTEND}${map}`;
  const answer = await host.deployments.install(sign(deployment({}, text), alice), null);
  t.is(answer.kind, 'done', JSON.stringify(answer));
  t.is(host.text(), text);
});

both('what HAProxy says against one names its lines', async (t) => {
  const host = await deployingHost(t, pki, { slow });
  const before = host.text();
  const text = `${DEFAULTS}${FRONTEND}\tno-such-word\n`;
  const answer = await host.deployments.install(sign(deployment({}, text), alice), null);
  t.is(answer.kind, 'unsound');
  const lines = answer.kind === 'unsound' ? answer.lines : [];
  t.true(
    lines.some((line) => line.includes(`[${host.config}:8]`) && line.includes('no-such-word')),
    lines.join('\n'),
  );
  t.is(host.text(), before);
});

both('HAProxy reads the files of a directory in their order', async (t) => {
  const host = await deployingHost(t, pki, { slow, directory: true });
  const file = (path: string, text: string) => ({ path, content: Buffer.from(text) });
  const good = [file('10-defaults.cfg', DEFAULTS), file('20-x.cfg', FRONTEND)];
  const form = 'directory' as const;
  const bad = [...good, file('30-y.cfg', 'frontend y\n\tno-such-word\n')];
  const refused = await host.deployments.install(
    sign(deployment({ form, files: bad }), alice),
    null,
  );
  const lines = refused.kind === 'unsound' ? refused.lines : [refused.kind];
  t.true(
    lines.some((line) => line.includes(`[${host.folder}/etc/conf.d/30-y.cfg:2]`)),
    lines.join('\n'),
  );
  const answer = await host.deployments.install(
    sign(deployment({ form, files: good }), alice),
    null,
  );
  t.is(answer.kind, 'done', JSON.stringify(answer));
});
