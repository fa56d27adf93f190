import { readFileSync } from 'node:fs';
import { TIMINGS } from '../../agent/core/timing.ts';
import { makeLinks } from '../../agent/rpc/links.ts';
import { createTls } from '../../agent/rpc/tls.ts';
import type { TlsPaths } from '../../agent/rpc/tls-files.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { report } from '../reports.ts';
import { askStatus, clientOf, helloOf } from '../rpc/world.ts';

// haproxy02, which speaks to haproxy01 all the while, and an operator who asks it for its status.
export interface Asked {
  readonly asked: number;
  readonly failed: readonly string[];
  readonly longestMs: number;
  readonly connects: number;
}

const [address = '', socket = '', node = '', operator = ''] = process.argv.slice(2);
const { ca, cert, key } = JSON.parse(operator) as TlsPaths;
const pem = (path: string): string => readFileSync(path, 'utf8');
const t = { teardown: () => undefined };
const issued = { certPem: pem(cert), keyPem: pem(key) };
let connects = 0;
const links = makeLinks({
  peers: [{ node: 'haproxy01', address: [address] }],
  tls: createTls(JSON.parse(node) as TlsPaths, 'web', 'haproxy02', systemClock),
  clock: systemClock,
  random: () => 0,
});
links.open({
  hello: () => helloOf('haproxy02'),
  onConnected() {
    connects += 1;
    links.send('haproxy01', { kind: 'report', report: report('haproxy02'), ageMs: 0 });
  },
  onClosed: () => undefined,
  onReply: () => undefined,
});
setInterval(() => {
  links.send('haproxy01', {
    kind: 'heartbeat',
    epoch: 1,
    startId: 2,
    sequence: 7,
    intentsDigest: '',
    seen: [],
    heard: [],
  });
}, TIMINGS.fast.heartbeatMs);

let asked = 0;
let longestMs = 0;
const failed: string[] = [];
const ask = async (target: string): Promise<void> => {
  const startedMs = performance.now();
  const over = target.startsWith('unix:')
    ? clientOf(t, target, null, null)
    : clientOf(t, target, pem(ca), issued);
  const answer = await askStatus(over);
  over.close();
  asked += 1;
  longestMs = Math.max(longestMs, performance.now() - startedMs);
  // A unix socket has one account for all: the fuzzer itself may have used it up.
  if (typeof answer !== 'string' && !/calls a second|are under way/.test(answer.message))
    failed.push(`${target}: ${answer.message}`);
};
setInterval(() => {
  void Promise.all([ask(address), ask(`unix:${socket}`)]);
}, 250);

process.on('message', () => {
  const said: Asked = { asked, failed: failed.slice(0, 5), longestMs, connects };
  process.send?.(said);
});
process.on('disconnect', () => process.exit());
