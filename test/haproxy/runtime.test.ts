import { execFile } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import {
  PAYLOAD_LIMIT,
  RuntimeError,
  runtime,
  word,
  type RuntimeFailure,
} from '../../agent/haproxy/runtime.ts';
import { shortFolder, startHaproxy } from './haproxy.ts';
import { abruptSocket, says, scriptedSocket } from './scripted.ts';

const options = { deadlineMs: 5000 };

/** How a command failed; an unexpected success fails the test. */
async function failure(t: ExecutionContext, asked: Promise<string>): Promise<RuntimeFailure> {
  const error = await t.throwsAsync(asked, { instanceOf: RuntimeError });
  return error.failure;
}

test('no file at the path: missing', async (t) => {
  const path = join(shortFolder(t), 'none.sock');
  t.deepEqual(await failure(t, runtime(path, options)('show info')), { kind: 'missing' });
});

test('of several readings in one line the first is named', async (t) => {
  const path = join(shortFolder(t), 'none.sock');
  await t.throwsAsync(runtime(path, options)('show info;show stat -1 3 -1'), {
    message: /^show info: no stats socket at /,
  });
});

test('a socket nobody listens on, as a killed HAProxy leaves it: refused', async (t) => {
  const haproxy = await startHaproxy(t);
  const ended = new Promise((resolve) => haproxy.child().once('exit', resolve));
  haproxy.child().kill('SIGKILL');
  await ended;
  t.deepEqual(await failure(t, haproxy.ask('show info')), { kind: 'refused' });
});

test('a socket whose mode keeps this user out: denied', async (t) => {
  const { path } = await scriptedSocket(t, says('unreachable\n\n'));
  chmodSync(path, 0o000);
  const script = fileURLToPath(new URL('denied.js', import.meta.url));
  chmodSync(join(path, '..'), 0o755);
  const { stdout } = await promisify(execFile)(process.execPath, [script, path]);
  t.deepEqual(JSON.parse(stdout), { kind: 'denied' });
});

test('no reply within the deadline: timeout, and the connection is given up', async (t) => {
  const { path, sockets, requests } = await scriptedSocket(t, () => undefined);
  const asked = failure(t, runtime(path, { deadlineMs: 500 })('show info'));
  await requests.until(() => true);
  const [held] = sockets;
  const closed = new Promise((resolve) => held?.once('close', resolve));
  t.deepEqual(await asked, { kind: 'timeout', afterMs: 500 });
  await closed;
  t.is(sockets.size, 0);
});

test('an end before the first byte: empty, never a success', async (t) => {
  const { path } = await scriptedSocket(t, says(''));
  t.deepEqual(await failure(t, runtime(path, options)('show info')), { kind: 'empty' });
  t.deepEqual(await failure(t, runtime(path, options)('set server app/s1 state drain')), {
    kind: 'empty',
  });
});

test('a reply that stops at any byte before its empty line is cut, never a short success', async (t) => {
  const whole = 'Name: HAProxy\nVersion: 2.6.12\nPid: 7\n\n';
  let length = 0;
  const { path } = await scriptedSocket(t, (_request, socket) => {
    socket.end(whole.slice(0, length));
  });
  const seen: RuntimeFailure[] = [];
  for (length = 1; length < whole.length; length++)
    seen.push(await failure(t, runtime(path, options)('show info')));
  t.deepEqual(
    seen,
    Array.from({ length: whole.length - 1 }, (_, at) => ({ kind: 'cut', bytes: at + 1 })),
  );
  t.is(await runtime(path, options)('show info'), whole);
});

test('an empty list is one empty line, and whole', async (t) => {
  const { path } = await scriptedSocket(t, says('\n'));
  t.is(await runtime(path, options)('show ssl cert'), '\n');
});

test('a change of which only the severity switch was answered is cut', async (t) => {
  const { path } = await scriptedSocket(t, says('\n'));
  const asked = runtime(path, options)('set server app/s1 state drain');
  t.deepEqual(await failure(t, asked), { kind: 'cut', bytes: 1 });
});

test('a connection that is reset is broken, with the code', async (t) => {
  const { path } = await abruptSocket(t);
  t.deepEqual(await failure(t, runtime(path, options)('show info')), {
    kind: 'broken',
    code: 'ECONNRESET',
  });
});

test('a reply without end is given up at its limit', async (t) => {
  const piece = Buffer.alloc(1 << 20, 'x');
  const { path } = await scriptedSocket(t, (_request, socket) => {
    const more = (): void => {
      while (socket.writable && socket.write(piece));
    };
    socket.on('drain', more);
    more();
  });
  const seen = await failure(t, runtime(path, { deadlineMs: 20_000 })('show stat'));
  t.is(seen.kind, 'too-long');
  t.true(seen.kind === 'too-long' && seen.bytes > 16 << 20 && seen.bytes < 18 << 20);
});

test('command and payload together over the limit are never sent, and the payload is not in the error', async (t) => {
  const { path, requests } = await scriptedSocket(t, says('\nok\n\n'));
  const ask = runtime(path, options);
  const header = Buffer.byteLength('set severity-output number;set ssl cert /a.pem <<\n\n\n');
  const fits = 'k'.repeat(PAYLOAD_LIMIT - header);
  t.is(await ask('set ssl cert /a.pem', fits), 'ok\n\n');
  const error = await t.throwsAsync(ask('set ssl cert /a.pem', `${fits}k`), {
    instanceOf: RuntimeError,
  });
  t.deepEqual(error.failure, { kind: 'too-large', bytes: PAYLOAD_LIMIT + 1 });
  t.is(
    error.message,
    'set ssl cert /a.pem: 16001 bytes are too many for this HAProxy (below 3.4: 16000)',
  );
  t.is(requests.items.length, 1);
});

test('a version that takes more is asked for its limit at each command', async (t) => {
  let payloadLimit = 60;
  const { path } = await scriptedSocket(t, says('\nok\n\n'));
  const ask = runtime(path, { ...options, payloadLimit: () => payloadLimit });
  const refused = await failure(t, ask('set ssl cert /a.pem', 'k'.repeat(40)));
  t.is(refused.kind, 'too-large');
  payloadLimit = 200;
  t.is(await ask('set ssl cert /a.pem', 'k'.repeat(40)), 'ok\n\n');
});

test('a reply of error severity is rejected with its text on one line', async (t) => {
  const { path } = await scriptedSocket(t, says("\n[3]: unable to load\nCan't update!\n\n"));
  const asked = runtime(path, options)('commit ssl cert /a.pem');
  t.deepEqual(await failure(t, asked), {
    kind: 'rejected',
    text: "unable to load Can't update!",
  });
});

test('warnings, notices and words without severity are successes without their prefix', async (t) => {
  const replies = ['\n[4]: port changed\n\n', '\n[5]: done\n\n', '\n[6]: said\n\n', '\nSaid\n\n'];
  const seen: string[] = [];
  for (const reply of replies) {
    const { path } = await scriptedSocket(t, says(reply));
    seen.push(await runtime(path, options)('set server app/s1 weight 5'));
  }
  t.deepEqual(seen, ['port changed\n\n', 'done\n\n', 'said\n\n', 'Said\n\n']);
});

test('HAProxy does not know the command: rejected, also for changes, where it says so with severity 6', async (t) => {
  const { ask } = await startHaproxy(t);
  const read = await failure(t, ask('bogus'));
  const changed = await failure(t, ask('set bogus'));
  t.regex(read.kind === 'rejected' ? read.text : '', /^Unknown command/);
  t.regex(changed.kind === 'rejected' ? changed.text : '', /^Unknown command/);
});

test('a socket of level user: reading works, changing is rejected and changes nothing', async (t) => {
  const { ask, userSocketPath } = await startHaproxy(t);
  const asUser = runtime(userSocketPath, options);
  t.regex(await asUser('show info'), /^Name: HAProxy$/m);
  t.deepEqual(await failure(t, asUser('set server app/s3 state maint')), {
    kind: 'rejected',
    text: 'Permission denied',
  });
  t.regex(await ask('show servers state app'), /^\d+ app 3 s3 127\.0\.0\.1 2 0 /m);
});

test('commands go one at a time, each on its own connection, also after one that failed', async (t) => {
  let open = 0;
  let most = 0;
  const { path, requests } = await scriptedSocket(t, (request, socket) => {
    open++;
    most = Math.max(most, open);
    setImmediate(() => {
      open--;
      if (request === 'show two\n') socket.end();
      else socket.end(`${request.trim()}\n\n`);
    });
  });
  const ask = runtime(path, options);
  const results = await Promise.allSettled(
    ['one', 'two', 'three'].map((name) => ask(`show ${name}`)),
  );
  t.is(most, 1);
  t.deepEqual(requests.items, ['show one\n', 'show two\n', 'show three\n']);
  t.deepEqual(
    results.map((result) => (result.status === 'fulfilled' ? result.value : 'failed')),
    ['show one\n\n', 'failed', 'show three\n\n'],
  );
});

test('empty lines and carriage returns in a payload cannot end it', async (t) => {
  const { path, requests } = await scriptedSocket(t, says('\nok\n\n'));
  const ask = runtime(path, options);
  await ask(
    'set ssl cert /a.pem',
    'one\r\n\r\n\n  \n\t\r\ntwo\n\nset server app/s1 state maint\n\n',
  );
  await ask('set ssl cert /a.pem', '\n\none');
  t.deepEqual(requests.items, [
    'set severity-output number;set ssl cert /a.pem <<\none\ntwo\nset server app/s1 state maint\n\n',
    'set severity-output number;set ssl cert /a.pem <<\none\n\n',
  ]);
});

test('a payload with empty lines runs nothing in a real HAProxy', async (t) => {
  const { ask, certificates } = await startHaproxy(t);
  const payload = '\r\n\r\nset server app/s3 state maint\r\n\r\nset server app/s3 state maint\n\n';
  const asked = await failure(t, ask(`set ssl cert ${certificates.a}`, payload));
  t.is(asked.kind, 'rejected');
  t.regex(await ask('show servers state app'), /^\d+ app 3 s3 127\.0\.0\.1 2 0 /m);
});

test('a word is one argument: what could end a command or begin another is refused', (t) => {
  const bad = [
    '',
    'a b',
    'a;b',
    'a\nb',
    'a\rb',
    'a\tb',
    'a\\b',
    'a<b',
    'a"b',
    "a'b",
    'a#b',
    'a\0b',
    'a\u001bb',
    'a\u007fb',
    'a\u00a0b',
    'a\u2028b',
  ];
  const taken = bad.filter((value) => {
    try {
      word(value);
      return true;
    } catch (error) {
      return !(error instanceof RuntimeError);
    }
  });
  t.deepEqual(taken, []);
  const good = ['s1', 'GITEA', '/usr/local/etc/ssl/example.net.pem', 'web.1:x-y_z', 'ümlaut'];
  t.deepEqual(good.map(word), good);
});

test('an error never shows more of a strange reply than its beginning', (t) => {
  const failure = { kind: 'text', text: 'x'.repeat(500) } as const;
  const { message } = new RuntimeError('show info', '/s.sock', failure);
  t.is(message, `show info: HAProxy answered what is not understood: "${'x'.repeat(120)}"`);
});
