import test from 'ava';
import { RuntimeError } from '../../agent/haproxy/runtime.ts';
import { cell, count, parseStat, readCells } from '../../agent/haproxy/stat.ts';
import { fixture } from '../fixture.ts';

const CAPTURED = fixture('haproxy-2.6.12/show-stat.csv');

test('rows of 2.6.12 by column name, in their order', (t) => {
  const rows = parseStat(CAPTURED);
  t.deepEqual(
    rows.map((row) => [
      cell(row, 'pxname'),
      cell(row, 'svname'),
      cell(row, 'status'),
      count(row, 'act'),
      count(row, 'bck'),
      cell(row, 'type'),
    ]),
    [
      ['HTTP_frontend', 'FRONTEND', 'OPEN', 0, 0, '0'],
      ['health', 'FRONTEND', 'OPEN', 0, 0, '0'],
      ['WEB', 'web1', 'DOWN', 1, 0, '2'],
      ['WEB', 'web2', 'no check', 1, 0, '2'],
      ['WEB', 'web3', 'MAINT', 1, 0, '2'],
      ['WEB', 'web4', 'DRAIN', 1, 0, '2'],
      ['WEB', 'web5', 'MAINT (via GITEA/gitea)', 1, 0, '2'],
      ['WEB', 'BACKEND', 'UP', 1, 0, '1'],
      ['GITEA', 'gitea', 'MAINT', 1, 0, '2'],
      ['GITEA', 'spare', 'no check', 0, 1, '2'],
      ['GITEA', 'BACKEND', 'UP', 0, 1, '1'],
    ],
  );
});

test('a quoted field keeps its commas and quotes, and what follows keeps its column', (t) => {
  const [web1] = parseStat(CAPTURED).filter((row) => cell(row, 'svname') === 'web1');
  t.deepEqual(
    web1 &&
      ['last_chk', 'check_code', 'check_desc', 'addr', 'mode'].map((name) => cell(web1, name)),
    ['OK comment: ready, or "warm"', '200', 'Layer7 wrong status', '127.0.0.1:18080', 'http'],
  );
});

test('a row cut at any byte is refused, quoted or not', (t) => {
  const [header = '', ...lines] = CAPTURED.split('\n');
  const quoted = lines.find((line) => line.includes('"')) ?? '';
  const plain = lines.find((line) => line.startsWith('WEB,web2,')) ?? '';
  const taken: string[] = [];
  for (const line of [quoted, plain]) {
    t.is(parseStat(`${header}\n${line}\n`).length, 1);
    for (let length = 1; length < line.length; length++) {
      const error = t.throws(() => parseStat(`${header}\n${line.slice(0, length)}`));
      if (!(error instanceof RuntimeError) || error.failure.kind !== 'text')
        taken.push(line.slice(0, length));
    }
  }
  t.deepEqual(taken, []);
});

test('anything but the CSV is refused with its text', (t) => {
  const texts = ['', '\n', 'No such proxy.\n\n', '# pxname;svname\n', 'pxname,svname,\nweb,x,\n'];
  const seen = texts.map((text) => {
    const error = t.throws(() => parseStat(text), { instanceOf: RuntimeError });
    return error.failure;
  });
  t.deepEqual(
    seen,
    texts.map((text) => ({ kind: 'text', text })),
  );
});

test('a column that this version does not have is empty, and as a number 0', (t) => {
  const [row] = parseStat(CAPTURED);
  t.deepEqual(row && [cell(row, 'srv'), count(row, 'srv'), count(row, 'pxname')], ['', 0, 0]);
});

test('named columns of each row, in the order asked; one this version has not is empty', async (t) => {
  const asked: string[] = [];
  const runtime = (command: string) => {
    asked.push(command);
    return Promise.resolve(CAPTURED);
  };
  const columns = ['status', 'pxname', 'svname', 'last_chk', 'none'];
  const rows = await readCells(runtime, 'show stat -1 4 -1', columns, (cells) => cells);
  t.deepEqual(rows[2], ['DOWN', 'WEB', 'web1', 'OK comment: ready, or "warm"', '']);
  t.is(rows.length, parseStat(CAPTURED).length);
  t.deepEqual(asked, ['show stat -1 4 -1']);
});

test('named columns of what is no table, or of a row too short for them, are refused', async (t) => {
  const [header = ''] = CAPTURED.split('\n');
  const texts = ['\n', 'No such proxy.\n\n', `${header}\nWEB,web1\n\n`];
  const kinds: string[] = [];
  for (const text of texts) {
    const reply = () => Promise.resolve(text);
    const asked = readCells(reply, 'show stat', ['svname', 'status'], (cells) => cells);
    const error = await t.throwsAsync(asked, { instanceOf: RuntimeError });
    kinds.push(error.failure.kind);
  }
  t.deepEqual(kinds, ['text', 'text', 'text']);
});
