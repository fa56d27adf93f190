import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import * as deploy from '../agent/core/deploy/deployment.ts';
import * as intents from '../agent/core/intent-limits.ts';
import { STAMP_AHEAD_LIMIT_MS } from '../agent/core/intents.ts';
import { LONGEST_LINE } from '../agent/core/haproxy-config/mask.ts';
import {
  LONGEST_FILE,
  LONGEST_TEXT,
  MOST_FILES,
  MOST_SECRETS,
} from '../agent/core/haproxy-config/reading.ts';
import { ARRIVALS } from '../agent/rpc/arrivals.ts';
import { HANDSHAKE_MS } from '../agent/rpc/doors.ts';
import { LANE } from '../agent/rpc/lanes.ts';
import { BYTES, CALLS, LANES, MOST_BYTES } from '../agent/rpc/limits.ts';
import { REFUSALS } from '../agent/rpc/quiet.ts';
import { STREAMS } from '../agent/rpc/server.ts';
import { SESSION } from '../agent/rpc/session-watch.ts';
import { SHARES } from '../agent/rpc/shares.ts';
import { KEPT_OUT_MS } from '../agent/rpc/strangers.ts';
import { COUNTS, LENGTHS } from '../agent/wire/bounds.ts';

/** The page of the guide; from dist/test/ to the sources. */
const PAGE = readFileSync(fileURLToPath(new URL('../../docs/limits.md', import.meta.url)), 'utf8');

const size = (bytes = 0): string =>
  bytes >= 1 << 20 ? `${bytes / (1 << 20)} MB` : `${bytes / (1 << 10)} KB`;
const seconds = (ms: number): string => `${ms / 1000} s`;
const days = (ms: number): string => `${ms / 86_400_000} days`;
const many = (count = 0): string =>
  count < 10_000 ? String(count) : count.toLocaleString('en-US');
const rate = ({ perSecond, burst }: { perSecond: number; burst: number }): string =>
  `${perSecond}, ${burst}`;
/** What is done in one lane, one after the other. */
const lane = (name: string): string =>
  Object.keys(LANES)
    .filter((method) => LANES[method] === name)
    .join();
const { MOST_OF_KIND: kind } = intents;

/** A number of deploy.sh. */
const HELPER = readFileSync(
  fileURLToPath(new URL('../../agent/privilege/deploy.sh', import.meta.url)),
  'utf8',
);
const inHelper = (name: string): number =>
  Number(new RegExp(`^${name}=(\\d+)$`, 'm').exec(HELPER)?.[1]);

test('what signs a configuration and what takes it have the same limits', (t) => {
  t.deepEqual(
    [inHelper('most_files'), inHelper('most_message'), inHelper('longest_time')],
    [deploy.MOST_FILES, deploy.MOST_MESSAGE_BYTES, deploy.LONGEST_S],
  );
});

test('each figure of the limits is the one in force, and each limit has its row', (t) => {
  const rows = [...PAGE.matchAll(/^\| (.+) \| (.+) \|$/gm)]
    .map(([, what = '', most = '']) => [what, most] as const)
    .filter(([what, most]) => most !== 'most' && what !== '---');
  t.deepEqual(Object.fromEntries(rows), {
    'calls at once: an operator, a unix socket, a peer': `${CALLS.operator.atOnce}, ${CALLS.socket.atOnce}, ${CALLS.peer.atOnce}`,
    'calls a second, after a burst: an operator': rate(CALLS.operator),
    '... a unix socket as a whole': rate(CALLS.socket),
    '... a peer': rate(CALLS.peer),
    'calls at once over one connection': String(STREAMS),
    'doctor, cert list/verify; servers, haproxy show; config diff/show': 'one after the other each',
    '... of those waiting: of a caller, in all': `${LANE.ofOne}, ${LANE.waiting}`,
    'bytes of a request: status, explain, move; any': `${[BYTES['status'], BYTES['explain'], BYTES['move']].map((bytes) => size(bytes)).join(', ')}; ${size(MOST_BYTES)}`,
    'addresses, nodes, targets, certificates in a list': [
      COUNTS.addresses,
      COUNTS.nodes,
      COUNTS.targets,
      COUNTS.certificates,
    ]
      .map((count) => many(count))
      .join(', '),
    'haproxy.conf: bytes of a file, of all; files; characters of a line that is shown': `${size(LONGEST_FILE)}, ${size(LONGEST_TEXT)}; ${MOST_FILES}; ${many(LONGEST_LINE)}`,
    'secrets in a file that is compared; bytes of the request': `${many(MOST_SECRETS)}; ${size(BYTES['readConfig'])}`,
    'characters: reason, actor, request id': `${LENGTHS.reason}, ${LENGTHS.actor}, ${LENGTHS.requestId}`,
    'characters: a name, a target, a path, a command': `${LENGTHS.name}, ${LENGTHS.target}, ${LENGTHS.path}, ${LENGTHS.command}`,
    'files, and bytes of them together, in a configuration that is signed': `${deploy.MOST_FILES}, ${many(deploy.MOST_BYTES)}`,
    'seconds in which it can be installed; configurations kept on a host': `${many(deploy.LONGEST_S)}; ${inHelper('versions')}`,
    'strangers, of them from one address': `${SHARES.stranger.total}, ${SHARES.stranger.each}`,
    'operators, of them one name and role': `${SHARES.operator.total}, ${SHARES.operator.each}`,
    'each configured peer, kept for it': String(SHARES.peer.each),
    'the unix socket, admin.sock': `${SHARES.socket.total}, ${SHARES.root.total}`,
    'handshakes a second that come to nothing, after a burst: one address': rate(ARRIVALS.one),
    '... all addresses that no peer or operator comes from': rate(ARRIVALS.all),
    'from accept to the end of the TLS handshake; then to HTTP/2': `${seconds(HANDSHAKE_MS)}; ${seconds(SESSION.greetMs)}`,
    'without a call (gossip and watched answers are calls)': seconds(SESSION.idleMs),
    "from a call's beginning to its first whole message": seconds(SESSION.messageMs),
    [`from a question whether a client is there (every ${seconds(SESSION.pingMs)}, peers not) to its answer`]:
      seconds(SESSION.pongMs),
    'until a client has read a piece of an answer': `${seconds(SESSION.stallMs)}, and 1 s for each ${size(SESSION.slowest)}`,
    'of one operator, peer or socket: bytes of answers not read; of messages not whole': `${size(SESSION.unread)}; ${size(SESSION.begun)}`,
    'streams a second over one connection, after a burst': rate(SESSION.streams),
    'server, weight: each': many(kind['server']),
    'certificate, acme-refusal: each': many(kind['certificate']),
    'pin, acme: each': many(kind['pin']),
    'maintenance; kinds of a newer agent together': `${kind['maintenance']}; ${intents.MOST_OF_OTHERS}`,
    'characters of a key, a value': `${intents.LONGEST_KEY}, ${intents.LONGEST_VALUE}`,
    'a stamp ahead of the clock of the host that is to store it': `${STAMP_AHEAD_LIMIT_MS / 3_600_000} h`,
    'what ended is kept; a token of a CA': `${days(intents.FORGET_ENDED_MS)}; ${days(intents.FORGET_TOKEN_MS)}`,
    'bytes of one message with decisions': size(intents.PART_CHARACTERS),
  });
  // Of what has one row together each has the same.
  t.deepEqual(
    [kind['weight'], kind['acme-refusal'], kind['acme'], SHARES.operator.total],
    [kind['server'], kind['certificate'], kind['pin'], SHARES.stranger.total],
  );
  t.deepEqual(
    ['inspection', 'haproxy', 'config'].map((name) => lane(name)),
    ['doctor,certificates', 'show,servers', 'readConfig'],
  );
});

test('what the guide says in words of refusals and of the alert is in force too', (t) => {
  t.deepEqual({ ...REFUSALS, keptOutMs: KEPT_OUT_MS }, { each: 10, all: 100, keptOutMs: 60_000 });
  t.regex(
    PAGE,
    /Of refusals of one caller ten lines a minute are written, of all callers a hundred/,
  );
  t.regex(PAGE, /it ends a minute after the\nlast time/);
});
