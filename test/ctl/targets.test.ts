import test, { type ExecutionContext } from 'ava';
import type { ServersAct } from '../../agent/core/acts.ts';
import type { NodeServers, ServerReading } from '../../agent/core/answers.ts';
import { ActFailure } from '../../agent/core/results.ts';
import { isSelection, select } from '../../ctl/targets/select.ts';
import { serverReading } from '../core/builders.ts';
import { emptyResult } from '../rpc/world.ts';
import { desk, PROXYCTL, unbroken } from './command.ts';
import { onTerminal, terminalMissing } from './terminal.ts';

const SERVERS = [
  serverReading({ sessions: 3 }),
  serverReading({ name: 'web2', address: '10.1.70.12' }),
  serverReading({ backend: 'WEB_TLS' }),
  serverReading({ backend: 'MAIL', name: 'web1', address: 'fd5e::11' }),
];
const node = (name: string, servers: readonly ServerReading[], problem = ''): NodeServers => ({
  node: name,
  problem,
  servers,
});
const answerOf = (...nodes: NodeServers[]) => ({ node: 'haproxy01', nodes, intents: [] });
const answer = answerOf(node('haproxy01', SERVERS), node('haproxy02', SERVERS));
const older = SERVERS.map((one) => ({ ...one, address: null }));
const named = (targets: string[], host: string | null, of = answer): string[] =>
  select(of, { targets, host }).servers.map(({ name }) => name);

test('a host is every server with its IP in all backends, a target limits it, IPv6 in any spelling', (t) => {
  t.deepEqual(
    [
      named([], '10.1.70.11'),
      named(['WEB'], '10.1.70.11'),
      named([], 'FD5E:0::0011'),
      named(['*'], '10.1.70.12'),
    ],
    [['WEB/web1', 'WEB_TLS/web1'], ['WEB/web1'], ['MAIL/web1'], ['WEB/web2']],
  );
});

test('a pattern is matched against backend and server, each by itself', (t) => {
  t.deepEqual(
    [
      named(['WEB*/web1'], null),
      named(['WEB/web?'], null),
      named(['WEB*'], null),
      named(['*/web2', 'MAIL'], null),
      isSelection({ targets: ['WEB/web1', 'WEB'], host: null }),
    ],
    [
      ['WEB/web1', 'WEB_TLS/web1'],
      ['WEB/web1', 'WEB/web2'],
      ['WEB/web1', 'WEB/web2', 'WEB_TLS/web1'],
      ['WEB/web2', 'MAIL/web1'],
      false,
    ],
  );
});

test('what nothing fits is refused with what there is', (t) => {
  const said = (targets: string[], host: string | null, of = answer): string => {
    const error = t.throws(() => named(targets, host, of), { instanceOf: ActFailure });
    return `${error.message}; ${error.detail.cause}`;
  };
  t.deepEqual(
    [
      said(['web*'], null),
      said([], '10.9.9.9'),
      said([], '10.1.70.11', answerOf(node('haproxy01', older))),
    ],
    [
      'no server is web*; there are WEB/web1, WEB/web2, WEB_TLS/web1, MAIL/web1',
      'no server is on 10.9.9.9; they are on 10.1.70.11, 10.1.70.12, fd5e::11',
      'no agent says the addresses of its servers; the agent on haproxy01 is older than this proxyctl',
    ],
  );
});

test('an older agent and a node that does not answer are named, and the rest is meant', (t) => {
  const of = answerOf(
    node('haproxy01', SERVERS),
    node('haproxy02', older),
    node('haproxy03', [], 'the agent on haproxy03 does not answer'),
  );
  t.deepEqual(select(of, { targets: ['WEB'], host: '10.1.70.11' }), {
    servers: [{ name: 'WEB/web1', addresses: ['10.1.70.11'], states: ['ready'], sessions: 6 }],
    notes: [
      'haproxy02 has an older agent that does not say addresses: what only it has there is left out',
      'haproxy03 was not looked at: the agent on haproxy03 does not answer',
    ],
  });
});

async function drained(t: ExecutionContext) {
  const acts: ServersAct[] = [];
  const made = await desk(t, {
    servers: () => Promise.resolve(answer),
    setServers(act) {
      acts.push(act);
      return Promise.resolve(emptyResult);
    },
  });
  return { ...made, asked: () => acts.map(({ targets, state }) => [state, ...targets]) };
}

const LIST = `SERVER        ADDRESS     STATE  SESSIONS
WEB/web1      10.1.70.11  ready         6
WEB_TLS/web1  10.1.70.11  ready         0
`;

test('--yes and --dry-run list what is meant and ask nothing; the agent is told names', async (t) => {
  const { run, asked } = await drained(t);
  const sure = await run(['drain', '--host', '10.1.70.11', '--yes']);
  const dry = await run(['ready', 'WEB*/web1', '--dry-run']);
  t.deepEqual([sure.code, sure.stderr.startsWith(LIST)], [0, true], sure.stderr);
  t.deepEqual([dry.code, dry.stderr.startsWith(LIST)], [0, true], dry.stderr);
  t.deepEqual(asked(), [
    ['drain', 'WEB/web1', 'WEB_TLS/web1'],
    ['ready', 'WEB/web1', 'WEB_TLS/web1'],
  ]);
});

test('without a terminal, and for JSON, nothing is done without --yes; a host is an IP', async (t) => {
  const { run, asked } = await drained(t);
  const pattern = await run(['maint', 'WEB*']);
  t.deepEqual(
    [pattern.code, unbroken(pattern.stderr)],
    [
      2,
      `proxyctl: maint asks first where servers are not named one by one
  cause   there is no terminal to ask on
  do      look with --dry-run, then add --yes
`,
    ],
  );
  t.is((await run(['drain', '--host', '10.1.70.11', '-o', 'json'])).code, 2);
  t.is((await run(['drain', '--host', 'web1.example.net', '--yes'])).code, 2);
  t.deepEqual(asked(), []);
});

const onScreen = terminalMissing() ? test.skip : test;

onScreen(
  'on a terminal the list is agreed to: y does it, anything else and Ctrl-C do nothing',
  async (t) => {
    const { config, world, asked } = await drained(t);
    const answered = async (key: string) => {
      const argv = [process.execPath, PROXYCTL, 'drain', 'WEB*/web1'];
      const question = 'drain these 2 servers? [y/N] ';
      const env = { PROXYCTL_CONFIG: config };
      const { code, screen, left } = await onTerminal(argv, world.folder, [[question, key]], env);
      t.true(screen.startsWith(LIST), screen);
      return [code, left, asked().length];
    };
    t.deepEqual(
      [await answered('\r'), await answered('\u0003'), await answered('y\r')],
      [
        [1, [], 0],
        [130, [], 0],
        [0, [], 1],
      ],
    );
  },
);
