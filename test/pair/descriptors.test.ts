import { spawn } from 'node:child_process';
import { once } from 'node:events';
import ava from 'ava';
import { canGiveRootUp } from '../lab/accounts.ts';
import { proxyctl, ran } from '../lab/client.ts';
import { inside } from '../lab/lab.ts';
import {
  asAtFirst,
  advskews,
  calm,
  eventually,
  exitOf,
  fault,
  logOf,
  masters,
  nodeAt,
  scene,
} from './scene.ts';

/** Ten times what it takes where nothing is short. */
const MOVED_MS = 3000;
/** The alert stands for a minute after the last want. */
const OVER_MS = 90_000;
/** Of each agent: more than it needs, and fewer than strangers of four addresses may take. */
const DESCRIPTORS = 180;

// Agents that are nobody, with helpers. Skipped where root cannot make that of them.
const { test: labTest, lab } = canGiveRootUp()
  ? scene({ user: 'nobody', descriptors: DESCRIPTORS, maxMoves: 100 })
  : { test: null, lab: scene().lab };
const test = labTest ?? ava.serial.skip;

/** Addresses of the client's host where strangers are. */
const FROM = [71, 72, 73, 74].map((at) => `10.1.60.${at}`);
const ADD =
  'device=$(ip -o -4 addr show | sed -n "s|^[0-9]*: \\([^ ]*\\) .* 10.1.60.1/.*|\\1|p" | head -1); ' +
  'for from in "$@"; do ip addr add "$from/24" dev "$device" || exit; done';
/** Strangers who hold 40 connections from each address to each host and come back where they are cut. */
const STRANGERS = `
const { connect } = require('node:net');
const [from, hosts] = process.argv.slice(1).map((words) => words.split(' '));
const open = (host, localAddress) => {
  const socket = connect({ host, port: 7660, localAddress });
  socket.on('error', () => undefined);
  socket.on('close', () => setTimeout(open, 300, host, localAddress));
};
for (const host of hosts) for (const one of from) for (let i = 0; i < 40; i++) open(host, one);
console.log('attacking');`;

const text = async (): Promise<string> =>
  (await proxyctl(lab(), ['status'])).stdout.replaceAll(/\s+/g, ' ');

test('strangers take every descriptor: it is said as what it is, HAProxy and the helper are still reached', async (t) => {
  await calm(lab());
  const from = lab().nodes.map((node) => logOf(node).length);
  const hosts = lab().nodes.map(({ address4 }) => address4);
  const added = await ran(inside(lab(), 'client', ['sh', '-c', ADD, 'sh', ...FROM]));
  t.is(added.code, 0, added.stderr);
  const words = [FROM.join(' '), hosts.join(' ')];
  const argv = inside(lab(), 'client', [process.execPath, '-e', STRANGERS, ...words]);
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(child.stdout, 'data');
    for (const { name } of lab().nodes)
      await eventually(`${name} says what it lacks`, async () =>
        (await text()).includes(`${name}: descriptors: no file descriptor is left here (EMFILE)`),
      );
    // HAProxy is asked and told, on both; nobody has taken it for dead. Callers may be turned away.
    for (const verb of ['drain', 'ready'])
      await eventually(verb, async () => (await exitOf(lab(), verb, 'WEB/web1')) === 0);
    const changed = lab().nodes.flatMap((node, at) =>
      logOf(node)
        .slice(from[at])
        .filter(
          ({ event, kind }) =>
            /^(carp-changed|agent-)/.test(String(event)) ||
            // "unknown" for want of a descriptor is no verdict.
            (event === 'haproxy-changed' && kind !== 'unknown' && kind !== 'up'),
        ),
    );
    t.deepEqual(changed, []);
    t.deepEqual([await masters(lab()), await advskews(lab())], [['haproxy01'], [0, 100]]);
    // The helper still does what it is for, every time.
    for (let death = 1; death <= 5; death++) {
      await fault(lab(), 'kill-haproxy', 'on', nodeAt(lab(), 0));
      await eventually(
        `the address has moved at death ${death}`,
        async () => (await masters(lab())).join() === 'haproxy02',
        MOVED_MS,
      );
      await fault(lab(), 'kill-haproxy', 'off', nodeAt(lab(), 0));
      await eventually('it is home', async () => (await masters(lab())).join() === 'haproxy01');
    }
  } finally {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
  await eventually('the alert is over', async () => !(await text()).includes('EMFILE'), OVER_MS);
  await asAtFirst(lab());
});
