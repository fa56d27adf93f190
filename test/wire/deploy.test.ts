import test from 'ava';
import { proxyctl } from '../../proto/gen/messages.js';
import type { ConfigChecked } from '../../agent/core/deploy/checked.ts';
import {
  configCheckedFromWire,
  configCheckedToWire,
  messageFromWire,
} from '../../agent/wire/deploy.ts';
import { WireError } from '../../agent/wire/fields.ts';

const { CheckConfigReply } = proxyctl.v1;
const travelled = (checked: ConfigChecked): ConfigChecked =>
  configCheckedFromWire(
    [...configCheckedToWire(checked)].map((piece) =>
      CheckConfigReply.decode(CheckConfigReply.encode(CheckConfigReply.create(piece)).finish()),
    ),
  );

test('what every node says of a configuration arrives as it was said', (t) => {
  const checked: ConfigChecked = {
    node: 'haproxy01',
    nodes: [
      { node: 'haproxy01', problem: '', answer: { kind: 'done', lines: ['[NOTICE] one'] } },
      { node: 'haproxy02', problem: '', answer: { kind: 'unsound', why: 'exit 1', lines: ['a'] } },
      { node: 'haproxy03', problem: '', answer: { kind: 'refused', why: 'revoked' } },
      { node: 'haproxy04', problem: '', answer: { kind: 'failed', why: 'no room' } },
      { node: 'haproxy05', problem: '', answer: { kind: 'unknown', why: 'no answer' } },
      { node: 'haproxy06', problem: 'does not answer', answer: null },
    ],
  };
  t.deepEqual(travelled(checked), checked);
});

test('what would move a terminal is told as a question mark, and lists and lines have an end', (t) => {
  const lines = ['a\u001b[2J', 'x'.repeat(2000), ...Array.from({ length: 300 }, () => 'y')];
  const checked: ConfigChecked = {
    node: 'haproxy01',
    nodes: [{ node: 'haproxy02', problem: '', answer: { kind: 'unsound', why: 'a\nb', lines } }],
  };
  t.deepEqual(travelled(checked).nodes[0]?.answer, {
    kind: 'unsound',
    why: 'a?b',
    lines: ['a?[2J', 'x'.repeat(1000), ...Array.from({ length: 198 }, () => 'y')],
  });
});

test('a word of a newer agent is no answer that counts as taken', (t) => {
  const [piece] = configCheckedToWire({
    node: 'haproxy01',
    nodes: [{ node: 'haproxy01', problem: '', answer: { kind: 'unknown', why: 'so' } }],
  });
  const bytes = Buffer.from(CheckConfigReply.encode(CheckConfigReply.create(piece)).finish());
  // Field 1 of the answer, the kind: 99 instead of 5.
  const at = bytes.indexOf(Buffer.from([0x08, 0x05]));
  bytes[at + 1] = 99;
  t.deepEqual(configCheckedFromWire([CheckConfigReply.decode(bytes)]).nodes, [
    { node: 'haproxy01', problem: '', answer: { kind: 'unknown', why: 'so' } },
  ]);
});

test('nothing, and more than a configuration can have, is no message', (t) => {
  t.throws(() => messageFromWire(new Uint8Array()), { instanceOf: WireError });
  t.throws(() => messageFromWire(new Uint8Array(4_100_001)), {
    instanceOf: WireError,
    message: 'message: 4100001 bytes, at most 4100000 are taken',
  });
  t.is(messageFromWire(new Uint8Array(4_100_000)).length, 4_100_000);
});
