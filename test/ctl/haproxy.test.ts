import test from 'ava';
import { SHOW_LIMIT, type NodeShow, type ShowAnswer } from '../../agent/core/show-commands.ts';
import { showScreen } from '../../ctl/render/show.ts';
import { desk, envelope, overTls } from './command.ts';

const replied = (node: string, text: string): NodeShow => ({
  node,
  problem: '',
  bytes: Buffer.from(text),
  cut: false,
});
const answerOf = (...nodes: NodeShow[]): ShowAnswer => ({ node: 'haproxy01', nodes });
const away: NodeShow = {
  node: 'haproxy02',
  problem: 'the agent on haproxy02 does not answer',
  bytes: new Uint8Array(),
  cut: false,
};

test('short replies stand side by side, lines of one name in one row, * where they differ', (t) => {
  const older = 'Name: HAProxy\nVersion: 2.6.12\nPid: 12\nCumConns: 9\n\n';
  const newer = 'Name: HAProxy\nVersion: 3.4.0\nPatches: none\nPid: 12\nCumConns: 9\n\n';
  t.is(
    showScreen(answerOf(replied('haproxy01', older), replied('haproxy02', newer))),
    `  haproxy01       | haproxy02
  Name: HAProxy   | Name: HAProxy
* Version: 2.6.12 | Version: 3.4.0
*                 | Patches: none
  Pid: 12         | Pid: 12
  CumConns: 9     | CumConns: 9
`,
  );
});

test('wide replies stand one after the other, as they were printed; a node without one is said', (t) => {
  const wide = `# ${'x'.repeat(90)}\n1 a\n\n`;
  t.is(
    showScreen(answerOf(replied('haproxy01', wide), replied('haproxy02', '\n'))),
    `== haproxy01
# ${'x'.repeat(90)}
1 a

== haproxy02
(nothing)
`,
  );
  t.is(
    showScreen(answerOf({ ...replied('haproxy01', 'a\n\n'), cut: true }, away)),
    `== haproxy01
a

cut       haproxy01: it goes on, only 3 MB are shown
unknown   haproxy02: the agent on haproxy02 does not answer
`,
  );
});

test('haproxy -o json has the reply of each node, null where there is none', async (t) => {
  const { run } = await desk(t, {
    show: (command) => Promise.resolve(answerOf(replied('haproxy01', `${command}\0\n\n`), away)),
  });
  const { code, stdout } = await run(['haproxy', 'show', 'ssl', 'crt-list', '-n', '/l', '--json']);
  t.is(code, 0);
  t.like(envelope(stdout), {
    verb: 'haproxy',
    ok: true,
    result: {
      command: 'show ssl crt-list -n /l',
      nodes: [
        { node: 'haproxy01', text: 'show ssl crt-list -n /l\n\n', cut: false },
        { node: 'haproxy02', text: null, cut: false },
      ],
    },
    nodes: [
      { node: 'haproxy01', ok: true },
      { node: 'haproxy02', ok: false, error: { code: 'haproxy_unknown' } },
    ],
  });
});

test('the longest reply that is passed on travels whole, from every node', async (t) => {
  const bytes = Buffer.alloc(SHOW_LIMIT, 'x');
  const { run } = await desk(t, {
    show: () =>
      Promise.resolve(
        answerOf(
          ...['haproxy01', 'haproxy02'].map((node) => ({ node, problem: '', bytes, cut: true })),
        ),
      ),
  });
  const { stdout } = await run(['haproxy', 'show', 'stat', '-o', 'json']);
  const { result } = envelope(stdout) as { result: { nodes: { text: string; cut: boolean }[] } };
  t.deepEqual(
    result.nodes.map(({ text, cut }) => [text.length, cut]),
    [
      [SHOW_LIMIT, true],
      [SHOW_LIMIT, true],
    ],
  );
});

test('a refused command is exit 2 with what is let through, and no agent is asked', async (t) => {
  const { run } = await desk(t);
  t.deepEqual(await run(['haproxy', 'show', 'env']), {
    code: 2,
    stdout: '',
    stderr: `proxyctl: "show env" is not passed on to HAProxy
  do      these are: show activity, backend, cache, cli level, cli sockets,
          events, info, peers, pools, resolvers, servers conn, servers state,
          sess, ssl ca-file, ssl cert, ssl crl-file, ssl crt-list, ssl
          ocsp-response, ssl ocsp-updates, ssl sni, stat, table, version
`,
  });
  t.is((await run(['haproxy', 'show', 'info;set', 'server'])).code, 2);
  t.is((await run(['haproxy'])).code, 2);
});

test('a viewer may look, but not at clients', async (t) => {
  const { run } = await desk(
    t,
    { show: () => Promise.resolve(answerOf(replied('haproxy01', 'a\n\n'))) },
    overTls('viewer'),
  );
  t.is((await run(['haproxy', 'show', 'info'])).code, 0);
  t.is((await run(['haproxy', 'show', 'sess'])).code, 4);
  t.is((await run(['haproxy', 'show', 'table', 'GITEA'])).code, 4);
});
