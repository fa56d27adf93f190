import test from 'ava';
import { handMoves } from '../../ctl/by-hand.ts';
import { desk, steady } from './command.ts';
import { backup, nodeOf, statusOf } from './statuses.ts';

const pair = statusOf({
  nodes: [nodeOf('haproxy01'), nodeOf('haproxy02', { addresses: [backup()] })],
});
const LINES = `
1@wan from haproxy01 to haproxy02
  # on haproxy01  it was MASTER: lowered
  ifconfig vtnet0 vhid 1 advskew 254
  # on haproxy02  takes it
  ifconfig vtnet0 vhid 1 advskew 100 state master
  # on haproxy02  look, on every node: one MASTER
  ifconfig vtnet0 | grep carp:
  # on haproxy01  only when it shall go back
  ifconfig vtnet0 vhid 1 advskew 0 state master
`;

test('failover --by-hand: the lines from the agent, and from what was seen last when none answers', async (t) => {
  const { run, server, world } = await desk(t, { status: () => Promise.resolve(pair) });
  const first = await run(['failover', '--by-hand']);
  t.deepEqual([first.code, first.stderr], [0, '']);
  t.true(first.stdout.endsWith(LINES), first.stdout);
  await server.close(0);
  const second = await run(['failover', '--by-hand', '--vhid', '10.1.60.200']);
  t.deepEqual([second.code, second.stderr], [0, '']);
  t.true(second.stdout.endsWith(LINES));
  t.is((await run(['failover', '--by-hand', '--vhid', '7'])).code, 8);
  t.is((await run(['failover', '--by-hand', '--to', 'x'])).code, 8);
  const acted = steady(await run(['failover']), world);
  t.is(acted.code, 10);
  t.true(acted.stderr.endsWith(LINES), acted.stderr);
  t.is((await run(['failover', '--json'])).stderr, '');
});

test('with nothing seen the card is printed without names, and it is 10', async (t) => {
  const { run, server } = await desk(t);
  await server.close(0);
  const { code, stdout } = await run(['failover', '--by-hand']);
  t.is(code, 10);
  t.regex(stdout, /^Nothing is remembered of this pair here\./);
  const { stderr } = await run(['failover']);
  t.regex(stderr, /by hand: proxyctl failover --by-hand prints the lines\n$/);
});

test('what a peer calls its interface is never put on a command line unless it is a name', (t) => {
  const one = { address: '1@wan', vhid: 1, vips: [], advskew: 0, baseAdvskew: 0 };
  const seen = {
    nodes: ['a', 'b'],
    addresses: [
      { ...one, node: 'a', state: 'MASTER', interface: 'vtnet0; reboot' },
      { ...one, node: 'b', state: 'BACKUP', interface: 'vtnet0' },
    ],
  };
  const commands = handMoves(seen, [], null).flatMap(({ steps }) =>
    steps.map(({ command }) => command),
  );
  t.deepEqual(
    commands.filter((line) => line.includes(';')),
    [],
  );
});
