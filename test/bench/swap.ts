import { execFile, fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { blocksOf, bundleText } from '../../agent/certs/blocks.ts';
import type { ActHeader } from '../../agent/core/acts.ts';
import type { SwapReading } from '../../agent/core/certs/swap-messages.ts';
import { readInfo } from '../../agent/haproxy/info.ts';
import { runtime } from '../../agent/haproxy/runtime.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { pushCertificate } from '../../agent/verbs/push.ts';
import { bundle, issue } from '../certs/bundles.ts';
import { eventually } from '../record.ts';
import { memberOf, pairOf } from '../scripted.ts';
import type { Answer, Call } from './swap-node.ts';

const COUNT = 200;
const LIMIT_MS = { one: 50, many: 1500 };
const PROGRAM = process.env['HAPROXY'] ?? 'haproxy';
const ENV = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin` };
const run = promisify(execFile);

interface Node {
  readonly name: string;
  readonly folder: string;
  readonly config: string;
  readonly socket: string;
  readonly agent: ChildProcess;
  /** One step of a swap on this node. */
  readonly call: (call: Step) => Promise<SwapReading>;
  child: ChildProcess;
}

type Step = Call extends infer C ? (C extends Call ? Omit<C, 'at'> : never) : never;

/**
 * Swaps over two real HAProxys with real files, journals and TLS handshakes. Each node's part runs
 * in a process of its own; the calls go through a pipe instead of the agents' TLS connection. Beside it, in the same run, what people do
 * otherwise: socat, one command after the other on both hosts, and a reload of both.
 */
export async function swap(): Promise<unknown> {
  const folder = mkdtempSync('/tmp/ce-bench-');
  const nodes: Node[] = [];
  try {
    const first = await bundles();
    for (const name of ['n1', 'n2']) nodes.push(await startNode(folder, name, first));
    const paths = [...Array(COUNT).keys()];
    const pair = pairOf(membersOf(nodes), { clock: systemClock });
    const push = async (numbers: readonly number[], pems: readonly string[]): Promise<number> => {
      const startMs = performance.now();
      const requestId = `${startMs}`;
      const act = {
        header: { ...HEADER, requestId },
        bundles: numbers.map((at) => ({ path: String(at), pem: pems[at] ?? '' })),
      };
      const result = await pushCertificate(pair, act, () => {});
      const tookMs = performance.now() - startMs;
      if (result.outcome !== 'reached' || !result.changed)
        throw new Error(`the push ended ${result.outcome}: ${JSON.stringify(result.error)}`);
      return tookMs;
    };
    const ones: number[] = [];
    for (let round = 0; round < 9; round++) ones.push(await push([0], await bundles(1)));
    const many: number[] = [];
    for (let round = 0; round < 3; round++) many.push(await push(paths, await bundles()));
    const [one, all] = [median(ones), median(many)];
    const socatOne = await bySocat(nodes, await bundles(1));
    const socatAll = await bySocat(nodes, await bundles());
    const reload = await byReload(nodes);
    return {
      within: one <= LIMIT_MS.one && all <= LIMIT_MS.many,
      one_ms: one,
      one_limit_ms: LIMIT_MS.one,
      many: COUNT,
      many_ms: all,
      many_limit_ms: LIMIT_MS.many,
      socat_one_ms: socatOne,
      socat_many_ms: socatAll,
      reload_ms: reload,
      node_version: process.versions.node,
    };
  } finally {
    for (const { child, agent } of nodes) {
      child.kill('SIGKILL');
      agent.disconnect();
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

const HEADER: ActHeader = {
  requestId: '',
  actor: 'bench',
  reason: '',
  acceptRisks: [],
  dryRun: false,
  timeoutMs: null,
  seen: null,
};

const nameAt = (at: number): string => `s${at}.test`;

async function bundles(count = COUNT): Promise<string[]> {
  const validity = {
    notBefore: new Date(Date.now() - 86_400_000).toISOString(),
    notAfter: new Date(Date.now() + 80 * 86_400_000).toISOString(),
  };
  return Promise.all(
    Array.from({ length: count }, async (_, at) =>
      bundle(await issue({ subject: `CN=${nameAt(at)}`, names: [nameAt(at)], ...validity })),
    ),
  );
}

async function startNode(base: string, name: string, first: readonly string[]): Promise<Node> {
  const folder = join(base, name);
  const crt = join(folder, 'crt');
  mkdirSync(crt, { recursive: true });
  for (const [at, pem] of first.entries()) writeFileSync(join(crt, `${at}.pem`), pem);
  const port = await freePort();
  const socket = join(folder, 's');
  const config = join(folder, 'haproxy.conf');
  writeFileSync(
    config,
    `global\n    stats socket ${socket} mode 600 level admin\ndefaults\n    mode http\n    timeout connect 1s\n    timeout client 5s\n    timeout server 5s\nfrontend web\n    bind 127.0.0.1:${port} ssl crt ${crt}\n    http-request return status 200\n`,
  );
  const script = fileURLToPath(new URL('swap-node.js', import.meta.url));
  const agent = fork(script, [name, folder, String(port)]);
  const ready = once(agent, 'message');
  const node = {
    name,
    folder,
    config,
    socket,
    agent,
    call: calling(agent),
    child: haproxy(config, []),
  };
  await ready;
  await answers(node);
  return node;
}

function calling(agent: ChildProcess): Node['call'] {
  const waiting = new Map<number, (answer: Answer) => void>();
  let at = 0;
  agent.on('message', (answer: Answer) => waiting.get(answer.at)?.(answer));
  return (call) =>
    new Promise((resolve, reject) => {
      const mine = at++;
      waiting.set(mine, ({ value, error }) => {
        waiting.delete(mine);
        if (error === undefined) resolve(value as SwapReading);
        else reject(new Error(error));
      });
      agent.send({ ...call, at: mine });
    });
}

const haproxy = (config: string, more: readonly string[]): ChildProcess =>
  spawn(PROGRAM, ['-db', '-f', config, ...more], { env: ENV, stdio: 'ignore' });

const answers = ({ socket, child }: Node): Promise<void> =>
  eventually(async () => {
    const ask = runtime(socket, { deadlineMs: 5000 });
    const pid = await readInfo(ask).then(
      (info) => info.pid,
      () => 0,
    );
    return pid === child.pid;
  });

const membersOf = (nodes: readonly Node[]) =>
  nodes.map(({ name, call }) =>
    memberOf(name, {
      storeIntents: () => Promise.resolve({ newer: [] }),
      swapPrepare: (request) => call({ step: 'prepare', request }),
      swapCommit: (swapId) => call({ step: 'commit', swapId }),
      swapAbort: (swapId) => call({ step: 'abort', swapId }),
      swapFinish: (swapId) => call({ step: 'finish', swapId }),
    }),
  );

/** What a script does: a file, `set` and `commit` for each certificate, host after host. */
async function bySocat(nodes: readonly Node[], pems: readonly string[]): Promise<number> {
  const startMs = performance.now();
  for (const { folder, socket } of nodes)
    for (const [at, pem] of pems.entries()) {
      const path = join(folder, 'crt', `${at}.pem`);
      writeFileSync(path, pem);
      await socat(socket, `set ssl cert ${path} <<\n${bundleText(blocksOf(pem))}\n`);
      await socat(socket, `commit ssl cert ${path}\n`);
    }
  return Math.round(performance.now() - startMs);
}

function socat(socket: string, input: string): Promise<unknown> {
  const ended = run('socat', ['stdio', `unix-connect:${socket}`], { env: ENV });
  ended.child.stdin?.end(input);
  return ended;
}

/** Both hosts, one after the other, until the new process answers. */
async function byReload(nodes: readonly Node[]): Promise<number> {
  const startMs = performance.now();
  for (const node of nodes) {
    const old = node.child;
    const gone = once(old, 'exit');
    node.child = haproxy(node.config, ['-sf', String(old.pid)]);
    await answers(node);
    await gone;
  }
  return Math.round(performance.now() - startMs);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  await once(server, 'close');
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) * 10) / 10;
}
