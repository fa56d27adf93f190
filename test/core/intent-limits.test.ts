import test from 'ava';
import { fitted, inParts } from '../../agent/core/intent-limits.ts';
import { mergeIntents, newestStamp, nextStamp, repaired } from '../../agent/core/intents.ts';
import { whyRefused, STAMP_AHEAD_LIMIT_MS } from '../../agent/core/intents.ts';
import { gossipToWire } from '../../agent/wire/gossip.ts';
import { proxyctl } from '../../proto/gen/messages.js';
import { NOW } from '../reports.ts';
import { intent, wishes } from './builders.ts';

const DAY = 86_400_000;
const at = (wallMs: number, count = 0) => ({ stamp: { wallMs, count, node: 'haproxy01' } });
const drains = (count: number) =>
  Array.from({ length: count }, (_, place) =>
    intent(`server//WEB/web${place}`, 'drain', { reason: 'r'.repeat(200), ...at(NOW, place) }),
  );

test('after a clock was days ahead, what is said with a right one is stored and wins', (t) => {
  const ahead = intent('maintenance/haproxy01', 'on', at(NOW + 2 * DAY));
  const stored = wishes(ahead, intent('pause', 'on', at(NOW + 1000)));
  const stamp = nextStamp(newestStamp(stored, NOW), NOW, 'haproxy01');
  t.deepEqual(stamp, { wallMs: NOW + 1000, count: 1, node: 'haproxy01' });
  const off = intent('maintenance/haproxy01', '', { deleted: true, stamp });
  const { intents, taken, refused } = mergeIntents(stored, [off], NOW);
  t.deepEqual([intents.get(off.key), taken, refused], [off, [off], []]);
});

test('a count at its end goes on in the next millisecond, so that the wire can carry it', (t) => {
  const last = { wallMs: NOW + 5, count: 0xffff_ffff, node: 'haproxy02' };
  t.deepEqual(nextStamp(last, NOW, 'haproxy01'), { wallMs: NOW + 6, count: 0, node: 'haproxy01' });
});

test('what is only for the record is cut, and a key or value without end is refused', (t) => {
  const long = intent('pause', 'on', { reason: 'r'.repeat(1_500_000), actor: 'a'.repeat(9000) });
  t.deepEqual(fitted(long), { ...long, reason: 'r'.repeat(200), actor: 'a'.repeat(128) });
  const bad = intent(`pin/${'x'.repeat(2000)}`, 'haproxy01');
  const { intents, refused } = mergeIntents(new Map(), [long, bad], NOW);
  t.deepEqual([[...intents.keys()], refused], [['pause'], [bad]]);
  t.regex(whyRefused(bad, NOW), /^pin\/x{96} is longer than any key or value may be$/);
  t.deepEqual([...repaired([long, bad], NOW).values()], [fitted(long)]);
});

test('of a kind that is full those that ended go first, and one too many is refused', (t) => {
  const known = Array.from({ length: 64 }, (_, place) =>
    intent(`maintenance/n${place}`, 'on', at(NOW - 64 + place)),
  );
  const more = intent('maintenance/more', 'on', at(NOW));
  const full = mergeIntents(wishes(...known), [more], NOW);
  t.deepEqual([full.taken, full.refused], [[], [more]]);
  t.is(whyRefused(more, NOW), 'maintenance/more is one too many: 64 of its kind are kept');
  const ended = intent('maintenance/n7', '', { deleted: true, ...at(NOW - 1) });
  const made = mergeIntents(mergeIntents(wishes(...known), [ended], NOW).intents, [more], NOW);
  t.deepEqual([made.taken, made.refused, made.intents.has('maintenance/n7')], [[more], [], false]);
  // Offered again by a node that still has it, it changes nothing.
  const again = mergeIntents(made.intents, [ended], NOW);
  t.deepEqual([again.intents, again.taken, again.refused], [made.intents, [], []]);
});

test('kinds of a newer agent are kept, but not without end', (t) => {
  const many = Array.from({ length: 300 }, (_, n) => intent(`news${n}/a`, 'on', at(NOW + n)));
  const { intents, refused } = mergeIntents(new Map(), many, NOW);
  t.deepEqual([intents.size, refused.length], [256, 44]);
});

test('what ended is forgotten once nobody can come back who does not know it', (t) => {
  const ended = intent('pause', '', { deleted: true, ...at(NOW - 401 * DAY) });
  const wished = intent('pin/1@wan', 'haproxy01', at(NOW - 401 * DAY));
  t.deepEqual([...repaired([ended, wished], NOW).keys()], ['pin/1@wan']);
  t.deepEqual(mergeIntents(new Map(), [ended], NOW).taken, []);
});

test('what was taken back by a clock years behind is taken back, though nobody keeps that for long', (t) => {
  const pin = intent('pin/1@wan', 'haproxy01', at(NOW - 1157 * DAY));
  const back = intent('pin/1@wan', '', { deleted: true, ...at(NOW - 1157 * DAY + 1) });
  const stored = new Map([[pin.key, pin]]);
  const merge = mergeIntents(stored, [back], NOW);
  t.deepEqual([[...merge.intents.keys()], merge.taken, merge.newer], [[], [back], []]);
  // The clock that was behind is right again, and whoever was not told offers the old wish.
  const late = mergeIntents(new Map([[back.key, back]]), [pin], NOW);
  t.deepEqual([[...late.intents.keys()], late.taken, late.newer], [[], [], [back]]);
});

test('10,000 drained servers with reasons of 200 characters travel in messages that fit', (t) => {
  const all = drains(10_000);
  const parts = inParts(all);
  const bytes = parts.map(
    (part) =>
      proxyctl.v1.GossipMessage.encode(
        gossipToWire({ kind: 'intents', intents: part }, { nowMs: 0, wallMs: NOW }),
      ).finish().length,
  );
  t.true(parts.length > 1 && Math.max(...bytes) < 1 << 20, bytes.join(' '));
  const keysOf = (list: typeof all) =>
    list
      .map(({ key }) => key)
      .sort()
      .join();
  t.is(keysOf(parts.flat()), keysOf(all));
  const { intents } = parts.reduce(
    (merge, part) => mergeIntents(merge.intents, part, NOW),
    mergeIntents(new Map(), [], NOW),
  );
  t.is(intents.size, 10_000);
});

test('a stamp a day ahead is taken, and one later is not', (t) => {
  const edge = intent('pause', 'on', at(NOW + STAMP_AHEAD_LIMIT_MS));
  const beyond = intent('pause', 'on', at(NOW + STAMP_AHEAD_LIMIT_MS + 1));
  t.deepEqual(mergeIntents(new Map(), [edge, beyond], NOW).refused, [beyond]);
});

test('texts that are as long as they may be are left as they are', (t) => {
  const most = intent('pause', 'on', {
    actor: 'a'.repeat(128),
    reason: 'r'.repeat(200),
    requestId: 'i'.repeat(128),
  });
  t.is(fitted(most), most);
  for (const name of ['actor', 'reason', 'requestId'] as const)
    t.deepEqual(fitted({ ...most, [name]: `${most[name]}x` }), most, name);
});

test('of equal age the key decides which are too many, the same on every node', (t) => {
  const all = Array.from({ length: 70 }, (_, n) =>
    intent(`maintenance/n${String(n).padStart(2, '0')}`, 'on', at(NOW)),
  );
  const kept = (offered: readonly ReturnType<typeof intent>[]) =>
    [...mergeIntents(new Map(), offered, NOW).intents.keys()].sort();
  t.deepEqual(
    kept(all),
    all.slice(0, 64).map(({ key }) => key),
  );
  t.deepEqual(kept(all.toReversed()), kept(all));
});
