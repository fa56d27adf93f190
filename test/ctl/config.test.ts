import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import type { ServersAnswer } from '../../agent/core/answers.ts';
import { intent, serverReading } from '../core/builders.ts';
import { fixture } from '../fixture.ts';
import { desk, envelope, overTls } from './command.ts';
import { pairWith } from './configured.ts';

const WEB = fixture('haproxy-config/web.conf');
const SECRETS = /hunter|aHVudGVy|k6y3o/i;
const edited = (...edits: readonly (readonly [string, string])[]): string =>
  edits.reduce((text, [from, to]) => text.replace(from, to), WEB);
const OTHER = edited(
  ['    server web2 10.1.61.12:8080 cookie w2 weight 50\n', ''],
  ['web1 10.1.61.11:8080', 'web1 10.1.61.99:8080'],
  ['ben insecure-password "hunter two"', 'ben insecure-password "hunter 2"'],
);

const servers: ServersAnswer = {
  node: 'haproxy01',
  nodes: [
    {
      node: 'haproxy01',
      problem: '',
      servers: [serverReading({ backend: 'WEB', name: 'web2', sessions: 12 })],
    },
  ],
  intents: [intent('server//WEB/web2', 'drain', { actor: 'anna' })],
};

test('nodes that differ: the lines, what they mean, and what would be lost; exit 3', async (t) => {
  const { run } = await desk(t, pairWith({ haproxy01: WEB, haproxy02: OTHER }, servers));
  const { code, stdout, stderr } = await run(['config', 'diff']);
  t.is(stderr, '');
  t.is(
    stdout,
    `--- haproxy01:/usr/local/etc/haproxy.conf
+++ haproxy02:/usr/local/etc/haproxy.conf
@@ -12,7 +12,7 @@
 userlist staff
     group admins users anna,ben
     user anna password <secret-3>
-    user ben insecure-password <secret-4>
+    user ben insecure-password <secret-9>
 
 defaults tcp
     mode tcp
@@ -52,8 +52,7 @@
     balance leastconn
     cookie SRV insert indirect nocache
     http-request set-header Authorization <secret-6>
-    server web1 10.1.61.11:8080 cookie w1
-    server web2 10.1.61.12:8080 cookie w2 weight 50
+    server web1 10.1.61.99:8080 cookie w1
     server spare 10.1.61.13:8080 backup
     # server web4 10.1.61.14:8080 cookie w4
 

haproxy01 and haproxy02 differ
only haproxy01: server WEB/web2
moved     server WEB/web1: 10.1.61.11:8080 in haproxy01, 10.1.61.99:8080 in
          haproxy02
sections  userlist staff, backend WEB
sessions  haproxy01 has 12 at WEB/web2, which haproxy02 has not
wishes    drain of WEB/web2 by anna would have no server

secrets   the same number is the same value in the same place
`,
  );
  t.is(code, 3);
});

test('the same, and what is no difference: exit 0', async (t) => {
  const same = await desk(t, pairWith({ haproxy01: WEB, haproxy02: WEB }));
  t.deepEqual(await same.run(['config', 'diff']), {
    code: 0,
    stdout: 'haproxy01 and haproxy02 are the same\n',
    stderr: '',
  });
  const comment = edited(['# The front door', '# The back door']);
  const { run } = await desk(t, pairWith({ haproxy01: WEB, haproxy02: comment }));
  const { code, stdout } = await run(['config', 'diff']);
  t.regex(stdout, /^-# The front door[^]*\n\+# The back door/m);
  t.true(
    stdout.endsWith(
      '\nhaproxy01 and haproxy02 differ in comments, spacing or names of nodes only\n',
    ),
  );
  t.is(code, 0);
});

test('a file against each node: its secrets are compared for an admin, and for nobody else', async (t) => {
  const seen: unknown[] = [];
  for (const role of ['admin', 'operator', 'viewer']) {
    const pair = pairWith({ haproxy01: WEB, haproxy02: OTHER }, servers);
    const { run, world } = await desk(t, pair, overTls(role));
    const file = join(world.folder, 'haproxy.conf');
    writeFileSync(file, WEB);
    const { code, stdout, stderr } = await run(['config', 'diff', file]);
    t.notRegex(stdout + stderr, SECRETS);
    seen.push([
      code,
      stdout
        .replaceAll(file, 'FILE')
        .split('\n')
        .filter((line) => /^(?:[-+]|\S.*FILE|secrets)/.test(line)),
    ]);
  }
  const moved = [
    '-    server web1 10.1.61.99:8080 cookie w1',
    '+    server web1 10.1.61.11:8080 cookie w1',
    '+    server web2 10.1.61.12:8080 cookie w2 weight 50',
  ];
  const told = 'haproxy02 and FILE differ';
  const others = [
    'haproxy01 and FILE are the same',
    '--- haproxy02:/usr/local/etc/haproxy.conf',
    '+++ FILE',
    ...moved,
    told,
    'secrets   not compared: whether one of a file is that of a node is told to',
  ];
  t.deepEqual(seen, [
    [
      3,
      [
        'haproxy01 and FILE are the same',
        '--- haproxy02:/usr/local/etc/haproxy.conf',
        '+++ FILE',
        '-    user ben insecure-password <secret-9>',
        '+    user ben insecure-password <secret-4>',
        ...moved,
        told,
        'secrets   the same number is the same value in the same place',
      ],
    ],
    [3, others],
    [3, others],
  ]);
});

test('json: each comparison whole; no secret in it', async (t) => {
  const { run } = await desk(t, pairWith({ haproxy01: WEB, haproxy02: OTHER }, servers));
  const { code, stdout } = await run(['config', 'diff', '-o', 'json']);
  t.is(code, 3);
  t.notRegex(stdout, SECRETS);
  const none = { frontends: [], binds: [], backends: [], servers: [], certificates: [] };
  const { result, ...rest } = envelope(stdout) as { result: { comparisons: { diff: string }[] } };
  t.like(rest, { verb: 'config diff', ok: true, changed: false });
  const [first] = result.comparisons;
  t.regex(first?.diff ?? '', /^--- haproxy01:\/usr\/local\/etc\/haproxy\.conf\n/);
  t.deepEqual({ ...result, comparisons: [{ ...first, diff: '' }] }, {
    comparisons: [
      {
        from: 'haproxy01',
        to: 'haproxy02',
        differs: true,
        text_differs: true,
        diff: '',
        added: none,
        gone: { ...none, servers: ['WEB/web2'] },
        moved: [{ server: 'WEB/web1', from: '10.1.61.11:8080', to: '10.1.61.99:8080' }],
        sections: ['userlist staff', 'backend WEB'],
        sessions: [{ node: 'haproxy01', server: 'WEB/web2', sessions: 12 }],
        wishes: [{ server: 'WEB/web2', wish: 'drain', actor: 'anna' }],
      },
    ],
    secrets_compared: true,
    unknown: null,
  } as never);
});

test('a node that was not read: the others are compared, exit 3, and its row says why', async (t) => {
  const { run } = await desk(t, pairWith({ haproxy01: WEB, haproxy02: null }));
  t.deepEqual(await run(['config', 'diff']), {
    code: 3,
    stdout: 'nothing to compare: only haproxy01 was read\n\nnot read  haproxy02: no answer\n',
    stderr: '',
  });
  t.like(envelope((await run(['config', 'show', '-o', 'json'])).stdout), {
    ok: true,
    nodes: [
      { node: 'haproxy01', ok: true },
      { node: 'haproxy02', ok: false, error: { code: 'not_read', message: 'no answer' } },
    ],
  });
});

test('servers that are not known: said, and the rest is compared', async (t) => {
  const pair = pairWith({ haproxy01: WEB, haproxy02: OTHER });
  const { run } = await desk(t, { ...pair, servers: () => Promise.reject(new Error('no')) });
  const { code, stdout } = await run(['config', 'diff']);
  t.regex(stdout, /^unknown {3}sessions and wishes: /m);
  t.is(code, 3);
});

test('show: each file with what is known of it, nothing secret; a node that is none', async (t) => {
  const short = 'global\n    daemon\nlisten stats\n    stats auth admin:hunter2\n';
  const why = '/usr/local/etc/haproxy.conf was written after HAProxy began: service haproxy reload';
  const { run } = await desk(
    t,
    pairWith({ haproxy01: short, haproxy02: 'global' }, null, {
      loaded: 'no',
      why,
      notes: ['/usr/local/etc/haproxy.conf is not UTF-8: it is read as ISO 8859-1'],
    }),
  );
  t.deepEqual(await run(['config', 'show']), {
    code: 0,
    stderr: '',
    stdout: ['haproxy01', 'haproxy02']
      .map(
        (node) => `# ${node}: version 0123456789ab, NOT LOADED, HAProxy runs since 2027-03-02
  12:00:00Z
# /usr/local/etc/haproxy.conf was written after HAProxy began: service haproxy
  reload
# /usr/local/etc/haproxy.conf, written 2027-03-01 12:00:00Z
${node === 'haproxy01' ? short.replace('hunter2', '<secret-1>') : 'global\n'}
note      ${node}: /usr/local/etc/haproxy.conf is not UTF-8: it is read as ISO
          8859-1
`,
      )
      .join('\n'),
  });
  const one = await run(['config', 'show', '--node', 'haproxy02', '-o', 'json']);
  t.like(envelope(one.stdout), {
    verb: 'config show',
    result: {
      nodes: [
        {
          node: 'haproxy02',
          version: '0123456789ab',
          loaded: false,
          why,
          started_at: '2027-03-02T12:00:00.000Z',
        },
      ],
    },
  });
  const none = await run(['config', 'show', '--node', 'haproxy09']);
  t.deepEqual(
    [none.code, none.stdout, none.stderr.split('\n')[0]],
    [8, '', 'proxyctl: no node of this pair is called "haproxy09"'],
  );
});

test('a directory is what HAProxy takes of it; what cannot be read is usage', async (t) => {
  const { run, world } = await desk(t, pairWith({ haproxy01: 'global\n' }));
  const folder = join(world.folder, 'conf.d');
  mkdirSync(folder);
  const empty = await run(['config', 'diff', folder]);
  t.deepEqual(
    [empty.code, empty.stderr.split('\n')[0]],
    [2, `proxyctl: ${folder} has no file NAME.cfg`],
  );
  writeFileSync(join(folder, 'a.cfg'), 'global\n');
  writeFileSync(join(folder, '.b.cfg'), 'defaults\n');
  writeFileSync(join(folder, 'c.conf'), 'defaults\n');
  t.deepEqual(await run(['config', 'diff', folder]), {
    code: 0,
    stdout: `haproxy01 and ${folder} are the same\n`,
    stderr: '',
  });
  const gone = await run(['config', 'diff', join(folder, 'gone')]);
  t.deepEqual([gone.code, gone.stdout], [2, '']);
  t.regex(gone.stderr, /cannot be read[^]*ENOENT/);
});
