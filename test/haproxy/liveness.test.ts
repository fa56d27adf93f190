import test from 'ava';
import {
  troubleOf,
  verdict,
  type Liveness,
  type Seen,
  type Trouble,
} from '../../agent/haproxy/liveness.ts';
import { RuntimeError, type RuntimeFailure } from '../../agent/haproxy/runtime.ts';

const KINDS = ['gone', 'refused', 'silent', 'alien', 'barred', 'exhausted'] as const;
const KNOCKS = ['answers', 'silent', 'refused', 'none'] as const;

function verdictOf(
  kind: Trouble['kind'],
  more: Partial<Seen> = {},
  hasEnded: boolean = false,
): Liveness {
  const listener = { kind: 'none', at: '127.0.0.1:80' } as const;
  const seen: Seen = {
    path: '/a.sock',
    listener,
    heldAnswers: false,
    stopping: null,
    process: null,
    ...more,
  };
  return verdict({ kind, cause: 'CAUSE', hasEnded }, seen);
}

test('the verdict on a socket that does not answer, by what a listener did: a table', (t) => {
  const row = (kind: Trouble['kind'], heldAnswers: boolean): string =>
    KNOCKS.map((knock) => {
      const listener = { kind: knock, at: '127.0.0.1:80' };
      return verdictOf(kind, { listener, heldAnswers }).kind;
    }).join(' ');
  const table = Object.fromEntries(
    KINDS.map((kind) => [kind, [row(kind, false), row(kind, true)]]),
  );
  // Of a listener that answers, is silent, refuses, or is none to ask; then the same with a held
  // connection that answers.
  t.deepEqual(table, {
    gone: ['unknown hung down down', 'unknown unknown down unknown'],
    refused: ['unknown hung down down', 'unknown unknown down unknown'],
    silent: ['unknown hung hung hung', 'unknown unknown unknown unknown'],
    alien: ['unknown hung down unknown', 'unknown unknown down unknown'],
    barred: ['unknown unknown unknown unknown', 'unknown unknown unknown unknown'],
    exhausted: ['unknown unknown unknown unknown', 'unknown unknown unknown unknown'],
  });
});

test('a process that is there is not down where no listener can be asked; one that stops is', (t) => {
  const kinds = (more: Partial<Seen>) =>
    KINDS.map((kind) => verdictOf(kind, { process: 7, ...more }).kind).join(' ');
  t.is(kinds({}), 'unknown unknown hung unknown unknown unknown');
  t.is(kinds({ stopping: 7 }), 'stopping stopping hung unknown unknown unknown');
  const listener = { kind: 'refused', at: '127.0.0.1:80' } as const;
  t.is(kinds({ listener }), 'down down hung down unknown unknown');
  t.like(verdictOf('gone', { process: 7 }), {
    kind: 'unknown',
    cause: 'CAUSE; process 7 of HAProxy is there',
  });
});

test('what is down is stopping as long as a process that stops serves the sessions it has', (t) => {
  const kinds = KINDS.map((kind) => verdictOf(kind, { stopping: 7 }).kind);
  t.deepEqual(kinds, ['stopping', 'stopping', 'hung', 'unknown', 'unknown', 'unknown']);
});

test('causes and the line to write', (t) => {
  const listener = { kind: 'answers', at: '127.0.0.1:80' } as const;
  const nameIt =
    'socket = "/PATH" below [haproxy] in agent.toml, or in haproxy.conf, global: ' +
    'stats socket /var/run/haproxy.sock mode 600 level admin';
  const slots = 'stats maxconn 50, in haproxy.conf, global; or end who holds connections there';
  t.deepEqual(
    [
      verdictOf('gone', { listener }),
      verdictOf('refused', { listener }),
      // The queue of its socket is full.
      verdictOf('refused', { listener, heldAnswers: true }),
      verdictOf('silent', { listener }),
      verdictOf('silent', { heldAnswers: true }),
      // Whoever closes before the end of an answer has slots left, and is perhaps no HAProxy.
      verdictOf('silent', { listener }, true),
      verdictOf('barred'),
      verdictOf('exhausted'),
    ],
    [
      { kind: 'unknown', cause: 'CAUSE; HAProxy answers at 127.0.0.1:80', remedy: nameIt },
      { kind: 'unknown', cause: 'CAUSE; HAProxy answers at 127.0.0.1:80', remedy: nameIt },
      {
        kind: 'unknown',
        cause: '/a.sock takes no connection (ECONNREFUSED); HAProxy answers at 127.0.0.1:80',
        remedy: slots,
      },
      { kind: 'unknown', cause: 'CAUSE; HAProxy answers at 127.0.0.1:80', remedy: slots },
      { kind: 'unknown', cause: 'CAUSE; /a.sock was answered before', remedy: slots },
      { kind: 'unknown', cause: 'CAUSE; HAProxy answers at 127.0.0.1:80', remedy: nameIt },
      {
        kind: 'unknown',
        cause: 'CAUSE',
        remedy: 'stats socket ... mode 660 level admin group proxyctl, in haproxy.conf',
      },
      {
        kind: 'unknown',
        cause: 'CAUSE',
        remedy: 'sysrc proxyagent_limits="-n 16384"; service proxyagent restart',
      },
    ],
  );
});

test('what an error of a question is a sign of', (t) => {
  const kindOf = (failure: RuntimeFailure): string =>
    troubleOf(new RuntimeError('show info', '/a.sock', failure), '/a.sock').kind;
  const broken = (code: string): string => kindOf({ kind: 'broken', code });
  t.deepEqual(
    {
      missing: kindOf({ kind: 'missing' }),
      refused: kindOf({ kind: 'refused' }),
      denied: kindOf({ kind: 'denied' }),
      here: ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM'].map(broken).join(' '),
      noSocket: ['ENOTSOCK', 'EPROTOTYPE', 'ENOTDIR', 'ENAMETOOLONG'].map(broken).join(' '),
      // A full queue on Linux; HAProxy died meanwhile.
      quiet: ['EAGAIN', 'ECONNRESET', 'EPIPE'].map(broken).join(' '),
      late: kindOf({ kind: 'timeout', afterMs: 5000 }),
      ended: [kindOf({ kind: 'empty' }), kindOf({ kind: 'cut', bytes: 9 })].join(' '),
      other: [kindOf({ kind: 'text', text: 'SSH-2.0' }), troubleOf('?', '/a.sock').kind].join(' '),
    },
    {
      missing: 'gone',
      refused: 'refused',
      denied: 'barred',
      here: 'exhausted exhausted exhausted exhausted',
      noSocket: 'alien alien alien alien',
      quiet: 'silent silent silent',
      late: 'silent',
      ended: 'silent silent',
      other: 'alien alien',
    },
  );
});
