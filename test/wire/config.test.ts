import test from 'ava';
import fc from 'fast-check';
import { proxyctl } from '../../proto/gen/messages.js';
import { LOADED, MOST_SECRETS } from '../../agent/core/haproxy-config/reading.ts';
import {
  configAnswerFromWire,
  configAnswerToWire,
  configAskFromWire,
  configAskToWire,
} from '../../agent/wire/config.ts';

const { ConfigReply, ConfigRequest } = proxyctl.v1;
const PLAIN = { noNullPrototype: true } as const;
const word = fc.string({ minLength: 1 });
const text = fc.string({ unit: 'binary' });
const reading = fc.record(
  {
    files: fc.array(fc.record({ path: word, text, changedAt: text }, PLAIN)),
    problems: fc.array(text),
    notes: fc.array(text),
    version: text,
    startedAt: text,
    loaded: fc.constantFrom(...LOADED),
    why: text,
  },
  PLAIN,
);
const node = fc.tuple(word, text, reading).map(([name, problem, one]) => ({
  node: name,
  problem,
  ...one,
}));
const answer = fc.record(
  {
    node: word,
    nodes: fc.array(node, { minLength: 1 }),
    secrets: fc.array(fc.nat()),
  },
  PLAIN,
);

test('configurations come out of the wire as they went in', (t) => {
  fc.assert(
    fc.property(answer, (one) => {
      const pieces = [...configAnswerToWire(one)].map((piece) =>
        ConfigReply.decode(ConfigReply.encode(piece).finish()),
      );
      t.deepEqual(configAnswerFromWire(pieces), one);
    }),
    { numRuns: 100 },
  );
});

test('what is asked has hashes of 32 bytes, and no more than are taken', (t) => {
  const read = (secrets: Uint8Array[]): number =>
    configAskFromWire(
      ConfigRequest.decode(ConfigRequest.encode(configAskToWire({ secrets })).finish()),
    ).secrets.length;
  const one = new Uint8Array(32);
  t.is(read([one, one]), 2);
  t.throws(() => read([one, new Uint8Array(31)]), {
    message: 'secrets[1]: 31 bytes, not 32',
  });
  t.throws(() => read(Array.from({ length: MOST_SECRETS + 1 }, () => one)), {
    message: 'secrets: 4097 elements, at most 4096 are taken',
  });
});
