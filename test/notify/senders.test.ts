import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import type { PairEvent } from '../../agent/core/events/events.ts';
import { messageSubject, type NotifyMessage } from '../../agent/core/notify/notify-message.ts';
import { exec } from '../../agent/notify/exec.ts';
import { mail, mailText } from '../../agent/notify/mail.ts';
import { webhook } from '../../agent/notify/webhook.ts';
import { createWorld } from '../rpc/world.ts';

const DOWN: PairEvent = {
  time: '2027-01-15T08:00:00.000Z',
  id: 'haproxy01-7-1',
  node: 'haproxy01',
  kind: 'alert-raised',
  severity: 'fail',
  subject: 'haproxy',
  alert: 'haproxy-down',
  text: 'HAProxy down: its process has ended and nobody has started it again so far, which is long enough',
  remedy: 'on haproxy01: service haproxy status',
};
const messageOf = (more: Partial<NotifyMessage> = {}): NotifyMessage => ({
  pair: 'web',
  node: 'haproxy02',
  target: 'ops',
  test: false,
  told: [{ event: DOWN, brief: false }],
  dropped: 0,
  ...more,
});
const JSON_OF_DOWN = {
  version: 1,
  pair: 'web',
  node: 'haproxy02',
  target: 'ops',
  test: false,
  events: [
    {
      time: DOWN.time,
      id: DOWN.id,
      node: 'haproxy01',
      kind: 'alert-raised',
      severity: 'fail',
      subject: 'haproxy',
      text: DOWN.text,
      alert: 'haproxy-down',
      remedy: DOWN.remedy,
      brief: false,
    },
  ],
  dropped: 0,
};

function folderOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-notify-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
function script(t: ExecutionContext, body: string): { path: string; folder: string } {
  const folder = folderOf(t);
  const path = join(folder, 'program');
  writeFileSync(path, `#!/bin/sh\ncd ${folder}\n${body}\n`);
  chmodSync(path, 0o755);
  return { path, folder };
}

test('exec: arguments as they are written, the message on standard input, no shell', async (t) => {
  const { path, folder } = script(
    t,
    'printf "%s\\n" "$@" > arguments; cat > input; env > environment',
  );
  await exec({ command: [path, '$(id)', 'a b'], timeoutMs: 10_000 })(messageOf());
  t.is(readFileSync(join(folder, 'arguments'), 'utf8'), '$(id)\na b\n');
  t.deepEqual(JSON.parse(readFileSync(join(folder, 'input'), 'utf8')), JSON_OF_DOWN);
  t.regex(readFileSync(join(folder, 'environment'), 'utf8'), /^LC_ALL=C$/m);
});

test('exec: how it failed, in one sentence', async (t) => {
  const { path } = script(t, 'echo "no such room" >&2; exit 3');
  await t.throwsAsync(exec({ command: [path], timeoutMs: 10_000 })(messageOf()), {
    message: `${path}: exit 3: no such room`,
  });
  await t.throwsAsync(exec({ command: ['/nowhere/x'], timeoutMs: 10_000 })(messageOf()), {
    message: '/nowhere/x: no such program',
  });
  const slow = script(t, 'sleep 1000 & echo $! > child; wait');
  await t.throwsAsync(exec({ command: [slow.path], timeoutMs: 500 })(messageOf()), {
    message: `${slow.path}: has not ended after 500 ms and was killed`,
  });
});

test('mail: sendmail has sender and receivers as arguments, and a mail of 72 columns', async (t) => {
  const { path, folder } = script(t, 'printf "%s\\n" "$@" > arguments; cat > input');
  const from = 'proxyctl@web.example.net';
  const to = ['ops@example.net', 'night@example.net'];
  const wallMs = (): number => Date.parse('2027-01-15T08:00:05Z');
  await mail({ sendmail: path, from, to, timeoutMs: 10_000, wallMs })(messageOf());
  t.deepEqual(readFileSync(join(folder, 'arguments'), 'utf8').trim().split('\n'), [
    '-i',
    '-f',
    from,
    '--',
    ...to,
  ]);
  t.is(
    readFileSync(join(folder, 'input'), 'utf8'),
    `From: proxyctl@web.example.net
To: ops@example.net, night@example.net
Subject: [web] fail: haproxy-down haproxy on haproxy01
Date: Fri, 15 Jan 2027 08:00:05 +0000
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

2027-01-15 08:00:00Z  fail: haproxy-down haproxy on haproxy01
    haproxy01: HAProxy down: its process has ended and nobody has
    started it again so far, which is long enough
    do: on haproxy01: service haproxy status

--${' '}
pair web, told by haproxy02
proxyctl status; proxyctl events --since 1h
`,
  );
});

test('mail: nothing in an event can add a header or a line that is not meant', (t) => {
  const evil = {
    ...DOWN,
    subject: 'x\r\nBcc: all@example.net\r\n\r\nbody',
    text: 'é\u2028\u001b[2J\n.',
  };
  const sent = mailText(messageOf({ told: [{ event: evil, brief: false }] }), {
    from: 'a@b',
    to: ['c@d'],
    wallMs: 0,
  });
  const [head = ''] = sent.split('\n\n');
  t.deepEqual(
    head.split('\n').map((line) => line.split(':')[0]),
    ['From', 'To', 'Subject', 'Date'].concat(
      'Auto-Submitted',
      'MIME-Version',
      'Content-Type',
      'Content-Transfer-Encoding',
    ),
  );
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  t.false(/[\u0000-\u0009\u000b-\u001f\u2028]/.test(sent));
  const long = { ...DOWN, alert: 'ä'.repeat(300) };
  const subject = mailText(messageOf({ told: [{ event: long, brief: false }] }), {
    from: 'a@b',
    to: ['c@d'],
    wallMs: 0,
  })
    .split('\n')
    .filter((line) => line.includes('=?utf-8?B?'));
  t.true(subject.length > 1 && subject.every((line) => line.length <= 76), subject.join('\n'));
});

test('subjects: what is over, what was brief, a storm, a test', (t) => {
  const over: PairEvent = { ...DOWN, kind: 'alert-cleared', severity: 'info' };
  const move: PairEvent = { ...DOWN, kind: 'moved', text: '1@wan moves' };
  const { alert: _alert, ...plain } = move;
  t.deepEqual(
    [
      messageOf({ told: [{ event: over, brief: false }] }),
      messageOf({ told: [{ event: over, brief: true }] }),
      messageOf({ told: [plain, over, plain].map((event) => ({ event, brief: false })) }),
      messageOf({ told: [], test: true }),
      messageOf({ told: [], dropped: 3 }),
    ].map(messageSubject),
    [
      '[web] over: haproxy-down haproxy on haproxy01',
      '[web] was over at once: haproxy-down haproxy on haproxy01',
      '[web] 3 events, first haproxy01: 1@wan moves',
      '[web] test from haproxy02',
      '[web] notifications were dropped',
    ],
  );
});

interface Posted {
  readonly method: string | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** An HTTPS server that answers with this status, or not at all. */
async function receiver(t: ExecutionContext, status: number | null) {
  const world = await createWorld(t);
  const { certPem: cert, keyPem: key } = await world.ca.issue(['localhost']);
  const posted: Posted[] = [];
  const server = createServer({ cert, key }, (asked, answer) => {
    const take = async (): Promise<void> => {
      const body = await text(asked);
      posted.push({ method: asked.method, headers: asked.headers, body });
      if (status !== null)
        answer.writeHead(status, { location: '/elsewhere' }).end('x'.repeat(1e6));
    };
    void take();
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const ca = join(world.folder, 'webhook-ca.pem');
  writeFileSync(ca, world.ca.certPem);
  return {
    posted,
    url: `https://localhost:${port}/hook`,
    host: `localhost:${port}`,
    ca,
    folder: world.folder,
  };
}

test('webhook: a POST of JSON over HTTPS, with headers of a file that nobody else can read', async (t) => {
  const { posted, url, ca, folder } = await receiver(t, 204);
  const headersFile = join(folder, 'headers');
  writeFileSync(headersFile, 'Authorization: Bearer abc\nX-Room: ops\n', { mode: 0o600 });
  await webhook({ url, headersFile, ca, timeoutMs: 10_000 })(messageOf());
  t.is(posted.length, 1);
  t.like(posted[0], {
    method: 'POST',
    headers: { authorization: 'Bearer abc', 'x-room': 'ops', 'content-type': 'application/json' },
  });
  t.deepEqual(JSON.parse(posted[0]?.body ?? ''), JSON_OF_DOWN);
  chmodSync(headersFile, 0o640);
  await t.throwsAsync(webhook({ url, headersFile, ca, timeoutMs: 10_000 })(messageOf()), {
    message: `${headersFile} can be read by others than its owner: chmod 600 ${headersFile}`,
  });
  chmodSync(headersFile, 0o600);
  writeFileSync(headersFile, 'X-Room: ops\nno header\n');
  await t.throwsAsync(webhook({ url, headersFile, ca, timeoutMs: 10_000 })(messageOf()), {
    message: `${headersFile}:2: must be Name: value`,
  });
  t.is(posted.length, 1);
});

test('webhook: whoever proves nothing, refuses, redirects or says nothing has not got it', async (t) => {
  const { url, host, posted } = await receiver(t, 204);
  const none = { headersFile: '', timeoutMs: 10_000 };
  const error = await t.throwsAsync(webhook({ ...none, url, ca: '' })(messageOf()));
  t.true(error.message.startsWith(`${host}: `), error.message);
  t.is(posted.length, 0);
  for (const status of [500, 302]) {
    const refusing = await receiver(t, status);
    await t.throwsAsync(webhook({ ...none, url: refusing.url, ca: refusing.ca })(messageOf()), {
      message: `${refusing.host}: answered ${status}`,
    });
  }
  const silent = await receiver(t, null);
  const soon = { headersFile: '', timeoutMs: 300, url: silent.url, ca: silent.ca };
  await t.throwsAsync(webhook(soon)(messageOf()), {
    message: `${silent.host}: no answer within 300 ms`,
  });
});
