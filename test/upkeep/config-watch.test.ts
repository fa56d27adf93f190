import test from 'ava';
import type { Happening } from '../../agent/core/events/events.ts';
import { NO_CONFIG, type ConfigReading } from '../../agent/core/haproxy-config/reading.ts';
import { watchConfig } from '../../agent/upkeep/config-watch.ts';
import { FakeClock } from '../fake-clock.ts';
import { eventually } from '../record.ts';

const PATH = '/usr/local/etc/haproxy.conf';
const AT = '2027-03-01T12:00:00.000Z';
const reading = (version: string, text: string, more: Partial<ConfigReading> = {}) => ({
  ...NO_CONFIG,
  files: [{ path: PATH, text, changedAt: AT }],
  version,
  loaded: 'no' as const,
  ...more,
});

/** A watch that has looked once, and what it has told. */
async function watching() {
  const clock = new FakeClock();
  let [stamp, now] = ['1', reading('v1', 'backend web\n  server s1 10.0.0.1:80\n')];
  const told: Happening[] = [];
  const reader = { read: () => Promise.resolve(now), stamp: () => Promise.resolve(stamp) };
  const watch = watchConfig(reader, clock, (all) => told.push(...all));
  await clock.advance(0);
  return {
    told,
    watch,
    clock,
    becomes: async (nextStamp: string, next: typeof now, looks = 2) => {
      [stamp, now] = [nextStamp, next];
      for (let at = 0; at < looks; at += 1) {
        await clock.advance(10_000);
        // It gives turns meanwhile; the next look is set when it is done.
        await eventually(() => clock.sleeping().length === 1);
      }
    },
  };
}

const event = (subject: string, text: string, from: string, to: string): Happening => ({
  kind: 'haproxy-config-changed',
  severity: 'info',
  subject,
  text,
  from,
  to,
  remedy: 'proxyctl config diff shows what differs between the nodes now',
});

test('a file that is changed is told once, after it has rested for a look', async (t) => {
  const { told, becomes } = await watching();
  const after = reading('v2', 'backend web\n  server s2 10.0.0.2:80\n');
  await becomes('2', after, 1);
  t.deepEqual(told, []);
  await becomes('3', after, 1);
  t.deepEqual(told, [], 'it is still being written');
  await becomes('3', after, 3);
  t.deepEqual(told, [
    event(
      PATH,
      `${PATH} was changed at 2027-03-01T12:00:00Z: new server web/s2, gone server web/s1; HAProxy has not loaded it yet`,
      'v1',
      'v2',
    ),
  ]);
});

test('a secret alone, and comments, are told too; a file that was only touched is not', async (t) => {
  const { told, becomes } = await watching();
  const text = 'backend web\n  server s1 10.0.0.1:80\n';
  await becomes('2', reading('v1', text));
  t.deepEqual(told, []);
  await becomes('3', reading('v1', `# x\n${text}`, { loaded: 'yes' }));
  const secret = `# x\n${text}  http-request set-header Authorization`;
  await becomes('4', reading('v2', `${secret} \0one\0\n`));
  await becomes('5', reading('v2', `${secret} \0other\0\n`));
  t.deepEqual(
    told.map((one) => one.text.replace(/^.*?Z: /, '')),
    [
      'only comments or spacing',
      'other lines in backend web; HAProxy has not loaded it yet',
      'other lines in backend web; HAProxy has not loaded it yet',
    ],
  );
});

test('a file that is gone is told with what to do; other files of another process are not', async (t) => {
  const { told, becomes } = await watching();
  const gone = `${PATH} is not there: put it back, or correct haproxy.config in agent.toml`;
  await becomes('2', reading('v2', '', { files: [], problems: [gone] }));
  await becomes('3', {
    ...reading('v3', ''),
    files: [{ path: '/other.conf', text: 'global\n', changedAt: AT }],
  });
  t.deepEqual(told, [event(PATH, gone, 'v1', 'v2')]);
});

test('once it is stopped it looks no more', async (t) => {
  const { told, watch, becomes, clock } = await watching();
  watch.stop();
  await becomes('2', reading('v2', 'global\n'), 0);
  await clock.advance(60_000);
  t.deepEqual([told, clock.sleeping()], [[], []]);
});
