import fc from 'fast-check';
import test from 'ava';
import { proxyctl } from '../../proto/gen/messages.js';
import type { AuditAsk } from '../../agent/core/audit/audit.ts';
import type { LinesAnswer } from '../../agent/core/lines.ts';
import { auditAskFromWire, auditAskToWire } from '../../agent/wire/audit.ts';
import { linesFromWire, linesToWire } from '../../agent/wire/lines.ts';

const { AuditReply, AuditRequest } = proxyctl.v1;
const name = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme-ascii' });

const travelled = (answer: LinesAnswer): LinesAnswer =>
  linesFromWire(
    [...linesToWire(answer)].map((part) => {
      const bytes = AuditReply.encode(part).finish();
      if (bytes.length > 4 << 20) throw new Error(`a part of ${bytes.length} bytes`);
      return AuditReply.decode(bytes);
    }),
  );

test('an answer comes as it was sent, however long: each part fits a message', (t) => {
  const node = fc.record({ node: name, problem: fc.string(), leftOut: fc.string() });
  const line = fc.record({ node: name, line: fc.string() });
  fc.assert(
    fc.property(name, fc.array(node), fc.array(line), (by, nodes, lines) => {
      t.deepEqual(travelled({ node: by, nodes, lines }), { node: by, nodes, lines });
    }),
    { numRuns: 50 },
  );
  const lines = Array.from({ length: 4000 }, (_, at) => ({
    node: 'a',
    line: `${at}${'x'.repeat(1000)}`,
  }));
  t.deepEqual(travelled({ node: 'a', nodes: [], lines }).lines, lines);
});

test('what is asked for comes as it was sent; no limit is the most there can be', (t) => {
  const through = (ask: AuditAsk): AuditAsk =>
    auditAskFromWire(AuditRequest.decode(AuditRequest.encode(auditAskToWire(ask)).finish()));
  for (const ask of [
    { sinceMs: null, who: '', limit: 100 },
    { sinceMs: 0, who: 'anna', limit: 5000 },
  ])
    t.deepEqual(through(ask), ask);
  t.is(through({ sinceMs: null, who: '', limit: 0 }).limit, 5000);
  t.is(through({ sinceMs: null, who: '', limit: 1_000_000 }).limit, 5000);
  t.throws(() => through({ sinceMs: null, who: 'x'.repeat(300), limit: 1 }), {
    message: 'who: 300 characters, at most 256 are taken',
  });
});
