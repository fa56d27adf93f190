import test from 'ava';
import { adminState, adminWord } from '../../../agent/core/servers/admin.ts';
import { driftOf, withoutServer, type ServerSetting } from '../../../agent/core/servers/drift.ts';
import type { Intent } from '../../../agent/core/model.ts';
import type { ServerRecord } from '../../../agent/core/servers/servers.ts';
import { intent, wishes } from '../builders.ts';
import { NOW } from '../../reports.ts';

const KEY = 'server//WEB/web1';
const WEIGHT = 'weight//WEB/web1';
const { stamp } = intent(KEY, '');
const gone = { deleted: true, value: '' };

const record = (key: string, state: string, more: Partial<ServerRecord> = {}): ServerRecord => ({
  key,
  stamp,
  state,
  pid: 100,
  problem: '',
  ...more,
});

/** `is -> should` of each drift of one server, with ! where an intent names it. */
function drift(
  setting: Partial<ServerSetting>,
  intents: readonly Intent[] = [],
  records: readonly ServerRecord[] = [],
): string {
  const web1 = { backend: 'WEB', server: 'web1', bits: 0, weight: 1, initialWeight: 1 };
  return driftOf({
    settings: [{ ...web1, agentChecked: false, ...setting }],
    intents: wishes(...intents),
    records: new Map(records.map((one) => [one.key, one])),
    instance: '',
    pid: 100,
    wallMs: NOW,
  })
    .map(({ is, should, wished }) => `${is} -> ${should}${wished ? '!' : ''}`)
    .join(', ');
}

test('admin bits one by one and together: what it was told, and by whom it is out', (t) => {
  const rows: [number, string, string, string][] = [
    [0x00, 'ready', 'ready', 'ready'],
    [0x01, 'maint', 'maint', 'maint'],
    [0x02, 'ready', 'maint-track', 'maint-track'],
    // `disabled` in the configuration, and what is left of it after `ready` and `drain`.
    [0x05, 'maint', 'disabled', 'maint'],
    [0x04, 'ready', 'ready', 'ready'],
    [0x0c, 'drain', 'drain', 'drain'],
    [0x08, 'drain', 'drain', 'drain'],
    [0x10, 'ready', 'drain-track', 'drain-track'],
    // No address for its name: nobody told it so.
    [0x20, 'ready', 'maint-dns', 'maint-dns'],
    [0x28, 'drain', 'maint-dns', 'maint-dns'],
    [0x40, 'ready', 'ready', 'ready'],
    [0x09, 'maint', 'maint', 'maint'],
  ];
  t.deepEqual(
    rows.map(([bits]) => [bits, adminState(bits), adminWord(bits, false), adminWord(bits, true)]),
    rows,
  );
});

test('nobody said a word: no configuration drains, and its own maintenance has a bit', (t) => {
  t.deepEqual(
    [0x00, 0x05, 0x08, 0x01, 0x04, 0x20, 0x02].map((bits) => drift({ bits })),
    ['', '', 'drain -> ready', 'maint -> ready', 'ready -> maint', '', ''],
  );
  t.is(drift({ weight: 5 }), 'weight 5 -> weight 1');
  t.is(drift({ weight: 5, agentChecked: true }), '');
});

test('an intent in force names what should be, once this process was told', (t) => {
  const wanted = [intent(KEY, 'drain')];
  t.is(drift({ bits: 0x08 }, wanted, [record(KEY, 'drain')]), '');
  t.is(drift({ bits: 0x00 }, wanted, [record(KEY, 'drain')]), 'ready -> drain!');
  t.is(drift({ bits: 0x01 }, wanted, [record(KEY, 'drain')]), 'maint -> drain!');
  t.is(drift({ bits: 0x00 }, wanted, []), '');
  t.is(drift({ bits: 0x00 }, wanted, [record(KEY, 'drain', { pid: 99 })]), '');
  t.is(drift({ bits: 0x00 }, wanted, [record(KEY, 'drain', { problem: 'no' })]), '');
  const older = { stamp: { ...stamp, wallMs: stamp.wallMs - 1 } };
  t.is(drift({ bits: 0x00 }, wanted, [record(KEY, 'maint', older)]), '');
  t.is(
    drift({ weight: 9, initialWeight: 10 }, [intent(WEIGHT, '50%')], [record(WEIGHT, '50%')]),
    'weight 9 -> weight 5!',
  );
});

test('ready said last holds in the process that heard it; a new one has its configuration', (t) => {
  const ready = [intent(KEY, '', gone)];
  t.is(drift({ bits: 0x04 }, ready, [record(KEY, 'ready')]), '');
  t.is(drift({ bits: 0x08 }, ready, [record(KEY, 'ready')]), 'drain -> ready');
  t.is(drift({ bits: 0x05 }, ready, [record(KEY, 'ready', { pid: 99 })]), '');
  t.is(drift({ bits: 0x08 }, ready, [record(KEY, 'drain')]), '');
  const ended = [intent(KEY, 'drain', { untilWallMs: NOW - 1 })];
  t.is(drift({ bits: 0x08 }, ended, [record(KEY, 'drain')]), '');
});

test('a server that was deleted under a wish in force is found, by this process and this wish alone', (t) => {
  const found = (records: readonly ServerRecord[], intents: readonly Intent[]): string[] =>
    withoutServer({
      settings: [],
      intents: wishes(...intents),
      records: new Map(records.map((one) => [one.key, one])),
      instance: '',
      pid: 100,
      wallMs: NOW,
    });
  const told = [record(KEY, 'drain'), record(WEIGHT, '50%')];
  const wished = [intent(KEY, 'drain'), intent(WEIGHT, '50%')];
  t.deepEqual(found(told, wished), [KEY, WEIGHT]);
  t.deepEqual(found(told, [intent(KEY, '', gone)]), []);
  t.deepEqual(found([record(KEY, 'drain', { pid: 99 })], wished), []);
  t.deepEqual(found([record(KEY, 'drain', { problem: 'x', server: 'gone' })], wished), []);
});
