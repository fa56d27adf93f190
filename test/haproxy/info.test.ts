import test from 'ava';
import { atLeast, parseInfo } from '../../agent/haproxy/info.ts';
import { RuntimeError } from '../../agent/haproxy/runtime.ts';
import { fixture } from '../fixture.ts';

const CAPTURED = fixture('haproxy-2.6.12/show-info.txt');

test('process, version and sessions of 2.6.12, the version without its packaging', (t) => {
  t.deepEqual(parseInfo(CAPTURED), {
    version: '2.6.12',
    pid: Number(/^Pid: (\d+)$/m.exec(CAPTURED)?.[1]),
    upMs: 1000,
    sessions: 0,
    stopping: false,
  });
});

test('versions of other builds: what an administrator calls them', (t) => {
  const versions = ['3.4.0-64a335366', '3.4-dev10', '2.8.5', 'custom'];
  t.deepEqual(
    versions.map((version) => parseInfo(CAPTURED.replace('2.6.12-1+deb12u3', version)).version),
    ['3.4.0', '3.4-dev10', '2.8.5', 'custom'],
  );
});

test('a value that is missing or no whole number is refused', (t) => {
  const changes: [RegExp, string][] = [
    [/^Pid: .*\n/m, ''],
    [/^Pid: .*/m, 'Pid: 1.5'],
    [/^Uptime_sec: .*/m, 'Uptime_sec: soon'],
    [/^CurrConns: .*\n/m, ''],
    [/^Version: .*/m, 'Version: '],
    [/^Version: .*\n/m, ''],
  ];
  const kinds = changes.map(([from, to]) => {
    const text = CAPTURED.replace(from, to);
    return t.throws(() => parseInfo(text), { instanceOf: RuntimeError }).failure.kind;
  });
  t.deepEqual(
    kinds,
    Array.from(changes, () => 'text'),
  );
});

test('an empty number is missing, not 0', (t) => {
  t.throws(() => parseInfo(CAPTURED.replace(/^Pid: .*/m, 'Pid: ')), { instanceOf: RuntimeError });
});

test('text of another program is refused', (t) => {
  t.throws(() => parseInfo('220 mail.example.net ESMTP\n\n'), { instanceOf: RuntimeError });
});

test('a version is at least another by number, not by letter', (t) => {
  const rows: [string, number, number, boolean][] = [
    ['3.4.0', 3, 4, true],
    ['3.10.1', 3, 4, true],
    ['4.0.0', 3, 4, true],
    ['3.3.9', 3, 4, false],
    ['2.6.12', 3, 4, false],
    ['3.4-dev10', 3, 4, true],
    ['', 3, 4, false],
    ['custom', 3, 4, false],
  ];
  t.deepEqual(
    rows.map(([version, major, minor]) => [version, major, minor, atLeast(version, major, minor)]),
    rows,
  );
});
