import { readFileSync } from 'node:fs';
import type { TlsPaths } from '../../agent/rpc/tls-files.ts';
import { systemClock } from '../../agent/sys/clock.ts';
import { verbsOf } from '../scripted.ts';
import { askStatus, clientOf } from '../rpc/world.ts';
import { fuzzedNode, type Place } from './node.ts';

// haproxy02, which speaks to haproxy01 all the while, and an operator who asks that for its status.
export interface Asked {
  readonly asked: number;
  readonly failed: readonly string[];
  readonly longestMs: number;
  readonly connects: number;
}

const [place = '', address = '', socket = '', operator = ''] = process.argv.slice(2);
const { ca, cert, key } = JSON.parse(operator) as TlsPaths;
const pem = (path: string): string => readFileSync(path, 'utf8');
const t = { teardown: () => undefined };
const issued = { certPem: pem(cert), keyPem: pem(key) };
const { server, counts, reach } = await fuzzedNode(JSON.parse(place) as Place, {
  clock: systemClock,
  notices: { refused: () => undefined, failed: () => undefined },
  control: verbsOf(),
});
reach(address);

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
  const { connects } = counts();
  const said: Asked = { asked, failed: failed.slice(0, 5), longestMs, connects };
  process.send?.(said);
});
process.on('disconnect', () => process.exit());
process.send?.(server.addresses[0] ?? '');
