import { chmodSync, renameSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import ava from 'ava';
import type { LabNode } from '../lab/report.ts';
import { proxyctl, startProbe } from '../lab/client.ts';
import {
  advskews,
  asAtFirst,
  asked,
  calm,
  eventually,
  exitOf,
  fault,
  logOf,
  masters,
  nodeAt,
  scene,
  seenBy,
} from './scene.ts';

const { test, lab } = scene();

const screen = async (): Promise<string> => (await proxyctl(lab(), ['status'])).stdout;
/** The screen's words in one line: it wraps at 80 columns. */
const words = async (): Promise<string> => (await screen()).replaceAll(/\s+/g, ' ');
const shows = (pattern: RegExp): Promise<void> =>
  eventually(`status shows ${pattern.source}`, async () => pattern.test(await words()));

/** Something else in the place of HAProxy's stats socket; the real one comes back with `end`. */
async function instead(
  { stats_socket: path }: LabNode,
  answer: ((server: Server) => void) | null,
): Promise<{ end(): Promise<void> }> {
  const kept = `${path}.kept`;
  renameSync(path, kept);
  const server = answer === null ? null : createServer();
  if (server !== null) {
    answer?.(server);
    server.listen(path);
    await once(server, 'listening');
    chmodSync(path, 0o660);
  }
  return {
    async end() {
      server?.close();
      rmSync(path, { force: true });
      renameSync(kept, path);
      await calm(lab());
    },
  };
}

/** No agent restarted, and the address never left haproxy01. */
async function nothingMoved(): Promise<{
  masters: string[];
  advskews: number[];
  starts: number[];
}> {
  return {
    masters: await masters(lab()),
    advskews: await advskews(lab()),
    starts: lab().nodes.map(
      (node) => logOf(node).filter(({ event }) => event === 'agent-started').length,
    ),
  };
}

const UNMOVED = { masters: ['haproxy01'], advskews: [0, 100], starts: [1, 1] };

for (const [what, answer, cause] of [
  ['missing', null, /haproxy02: show info: no stats socket at .*haproxy\.sock/],
  [
    'hanging',
    (server: Server) => void server.on('connection', (client) => client.on('error', () => {})),
    /haproxy02: haproxy-socket: show info: no reply at \S+ within 2000 ms; HAProxy answers at \S+443 /,
  ],
  [
    'garbage',
    (server: Server) =>
      void server.on('connection', (client) => {
        client.on('error', () => {});
        client.on('data', () => client.end('HTTP/1.0 400 Bad request\r\n\r\n'));
      }),
    /haproxy02: haproxy-socket: show info: the reply at \S+ ended after 28 bytes; HAProxy answers at \S+443 /,
  ],
] as const) {
  test(`the stats socket of the BACKUP is ${what}: status says so with the cause, nothing moves`, async (t) => {
    const placed = await instead(nodeAt(lab(), 1), answer);
    try {
      await shows(cause);
      t.is(await exitOf(lab(), 'status', '--check'), 3);
    } finally {
      await placed.end();
    }
    t.deepEqual(await nothingMoved(), UNMOVED);
  });
}

for (const [name, cause] of [
  ['ifconfig-fails', /haproxy02: carp: .*Operation not permitted/],
  ['ifconfig-hangs', /haproxy02: carp: .*(2000 ms|2 s|killed|in time)/],
  ['ifconfig-garbage', /haproxy02: carp: .*STANDBY/],
] as const) {
  test(`${name} on the BACKUP: status says so with the cause, nothing moves, and it heals`, async (t) => {
    await fault(lab(), name, 'on', nodeAt(lab(), 1));
    try {
      await shows(cause);
      t.is(await exitOf(lab(), 'status', '--check'), 3);
      t.not(await exitOf(lab(), 'failover', '--timeout', '2s'), 0);
    } finally {
      await fault(lab(), name, 'off', nodeAt(lab(), 1));
    }
    await asAtFirst(lab());
    t.deepEqual(await nothingMoved(), UNMOVED);
  });
}

test('ifconfig fails on the MASTER: it stays MASTER, and no client notices', async (t) => {
  const probe = await startProbe(lab());
  await fault(lab(), 'ifconfig-fails', 'on', nodeAt(lab(), 0));
  try {
    await shows(/haproxy01: carp: .*Operation not permitted/);
    const { code, json } = await asked(lab(), 'failover');
    t.like(
      { code, json },
      { code: 1, json: { changed: false, error: { code: 'carp_unreadable' } } },
    );
    await probe.more(200);
  } finally {
    await fault(lab(), 'ifconfig-fails', 'off', nodeAt(lab(), 0));
  }
  await asAtFirst(lab());
  const seen = await probe.end();
  const { failed, by } = seen;
  t.is(failed, 0, seenBy(seen));
  t.deepEqual(Object.keys(by), ['haproxy01']);
  t.deepEqual(await nothingMoved(), UNMOVED);
});

/** When this node's log last told that its vhid became this, ms; null: never. */
const becameMs = (node: LabNode, state: string): number | null => {
  const line = logOf(node).findLast(({ event, to }) => event === 'carp-changed' && to === state);
  return line === undefined ? null : Date.parse(String(line['time']));
};

for (const [name, before, after] of [
  ['devd-deaf', /polling CARP every second on .*haproxy02/, /haproxy02: devd: .* tells nothing/],
  ['devd-gone', /haproxy02: devd: connect ECONNREFUSED/, /haproxy02: devd: connect ECONNREFUSED/],
] as const) {
  test(`${name} on the BACKUP: status says so, moves go on, a change of the kernel is noticed within a poll`, async (t) => {
    const [master, taker] = [nodeAt(lab(), 0), nodeAt(lab(), 1)];
    await fault(lab(), name, 'on', taker);
    try {
      await shows(before);
      t.is(await exitOf(lab(), 'failover'), 0);
      await shows(after);
      t.is(await exitOf(lab(), 'status', '--check'), 3);
      t.is(await exitOf(lab(), 'failback'), 0);
      const backMs = becameMs(master, 'MASTER') ?? Infinity;
      await eventually('noticed', () => (becameMs(taker, 'BACKUP') ?? 0) > backMs - 1000);
      const lateMs = (becameMs(taker, 'BACKUP') ?? Infinity) - backMs;
      t.true(lateMs < 1500, `${lateMs} ms`);
    } finally {
      await fault(lab(), name, 'off', taker);
    }
    await asAtFirst(lab());
    t.deepEqual(await nothingMoved(), UNMOVED);
  });
}

test("the peer's agent is dead: status shows it and is exit 0, failover is refused with 10", async (t) => {
  await fault(lab(), 'kill-agent', 'on', nodeAt(lab(), 1));
  try {
    await shows(/haproxy02 is not heard/);
    t.is(await exitOf(lab(), 'status'), 0);
    const { json } = await asked(lab(), 'status');
    t.deepEqual(
      json.nodes.map(({ node, ok }) => ({ node, ok })),
      [
        { node: 'haproxy01', ok: true },
        { node: 'haproxy02', ok: false },
      ],
    );
    t.is(await exitOf(lab(), 'failover'), 10);
    t.is(await exitOf(lab(), 'failback'), 0);
  } finally {
    await fault(lab(), 'kill-agent', 'off', nodeAt(lab(), 1));
  }
  await calm(lab());
  t.deepEqual(await masters(lab()), ['haproxy01']);
});

/** Filling a disk needs one of its own, and that needs root. */
const withDisk = process.getuid?.() === 0 ? test : ava.serial.skip;

withDisk(
  "a full disk under one agent's state: a drain is exit 6 and says why; with room it is whole again",
  async (t) => {
    await fault(lab(), 'disk-full', 'on', nodeAt(lab(), 1));
    try {
      t.is(await exitOf(lab(), 'drain', 'WEB/web1'), 6);
      await shows(/haproxy02: state: the state cannot be written: ENOSPC/);
    } finally {
      await fault(lab(), 'disk-full', 'off', nodeAt(lab(), 1));
    }
    t.is(await exitOf(lab(), 'ready', 'WEB/web1'), 0);
    await calm(lab());
  },
);
