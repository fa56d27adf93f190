import { stripVTControlCharacters } from 'node:util';
import test from 'ava';
import stringWidth from 'string-width';
import type { ControlVerbs } from '../../agent/core/verbs.ts';
import { table } from '../../ctl/render/table.ts';
import { cutEnd, displayWidth, padded, pieces, shortened } from '../../ctl/render/width.ts';
import { wrapped } from '../../ctl/render/wrapped.ts';
import { serverReading } from '../core/builders.ts';
import { inspected } from '../reports.ts';
import { desk, PROXYCTL } from './command.ts';
import { intentOf, statusOf } from './statuses.ts';
import { onTerminal, terminalMissing } from './terminal.ts';

process.env['LC_ALL'] = 'C.UTF-8';
const real = terminalMissing() ? test.skip : test;

test('a wide character is two columns, a combining mark none, what is not shown one question mark', (t) => {
  t.deepEqual(
    ['web1', '漢字', 'e\u0301a', 'a\u202Eb', '\u{1F98A}', ''].map(displayWidth),
    [4, 4, 2, 3, 2, 0],
  );
  t.deepEqual(
    [padded('漢字', 6), padded('漢字', 6, true), padded('e\u0301', 3)],
    ['漢字  ', '  漢字', 'e\u0301  '],
  );
});

test('what is cut is cut between letters, and is never too wide', (t) => {
  t.deepEqual(
    [
      shortened('haproxy01.example.net', 9),
      shortened('漢字漢字漢字', 7),
      shortened('漢字漢字漢字', 6),
      shortened('e\u0301e\u0301e\u0301e\u0301e\u0301', 3),
      cutEnd('漢字漢字', 4),
      cutEnd('漢字', 4),
    ],
    ['hapr~.net', '漢~字', '漢~字', 'e\u0301~e\u0301', '漢~', '漢字'],
  );
  for (let width = 1; width < 14; width++)
    for (const text of ['漢字漢字漢字', 'a漢b字c漢', 'e\u0301'.repeat(9), 'plain text'])
      t.true(
        [shortened(text, width), cutEnd(text, width)].every((one) => displayWidth(one) <= width),
        `${text} ${width}`,
      );
  t.deepEqual(pieces('漢字漢', 3), ['漢', '字', '漢']);
});

test('columns of a table stand below each other, whatever its letters are', (t) => {
  const rows = [
    ['漢字', '1', 'x'],
    ['e\u0301te\u0301', '22', 'y'],
    ['plain', '333', 'z'],
  ];
  t.is(
    table(['NAME', 'N', 'BY'], rows, { right: [1] }),
    `NAME     N  BY
漢字     1  x
e\u0301te\u0301     22  y
plain  333  z`,
  );
});

const HEAD = ['NAME', 'NODE', 'ENDS'];
const ROWS = [
  ['/usr/local/etc/ssl/www.example.net.pem', 'haproxy01.example.net', '2027-01-31'],
  ['', 'haproxy02.example.net', '2027-01-31'],
  ['/usr/local/etc/ssl/mail.pem', 'haproxy01.example.net', '2026-12-01'],
];

test('a table that is too wide is cut down to 60 columns; dates and states are not', (t) => {
  t.is(
    table(HEAD, ROWS, { columns: 60 }),
    `NAME                       NODE                   ENDS
/usr/local/e~mple.net.pem  haproxy01.example.net  2027-01-31
                           haproxy02.example.net  2027-01-31
/usr/local/e~ssl/mail.pem  haproxy01.example.net  2026-12-01`,
  );
});

test('below that, and where cutting is not enough, a row is a block', (t) => {
  t.is(
    table(HEAD, ROWS, { columns: 40 }),
    `NAME  /usr/local/etc/ssl/www.example.net
      .pem
NODE  haproxy01.example.net
ENDS  2027-01-31
NODE  haproxy02.example.net
ENDS  2027-01-31

NAME  /usr/local/etc/ssl/mail.pem
NODE  haproxy01.example.net
ENDS  2026-12-01`,
  );
  const head = Array.from({ length: 9 }, (_, at) => `H${at}`);
  const wide = table(head, [head.map((one) => one.repeat(6))], { columns: 80 });
  t.is(wide.split('\n').length, 9);
  t.is(table(['A', 'B'], [['x', 'y']], { columns: 30 }), 'A  B\nx  y');
});

test('sentences are broken at the width, long words and wide ones too', (t) => {
  for (const width of [20, 33, 60])
    for (const text of [`decision  ${'漢字'.repeat(40)} end`, `note ${'a'.repeat(90)} b`])
      t.true(
        wrapped(text, 10, width)
          .split('\n')
          .every((line) => displayWidth(line) <= width),
        `${width}`,
      );
});

const verbs: Partial<ControlVerbs> = {
  status: () =>
    Promise.resolve(
      statusOf({ intents: [intentOf({ actor: 'Mu\u0308ller', reason: '漢字'.repeat(20) })] }),
    ),
  servers: () =>
    Promise.resolve({
      node: 'haproxy01',
      nodes: ['haproxy01', 'haproxy02'].map((node) => ({
        node,
        problem: '',
        servers: [
          serverReading({ backend: 'A'.repeat(40) }),
          serverReading({ name: 'web2', sessions: 1234, check: 'L7STS 503' }),
        ],
      })),
      intents: [intentOf({ actor: 'Mu\u0308ller' })],
    }),
  certificates: () =>
    Promise.resolve({
      node: 'haproxy01',
      nodes: ['haproxy01', 'haproxy02'].map((node) => ({
        node,
        problem: '',
        certificates: [
          inspected('cb8b9def9ea555b063d3fc0808fcf4c41eec3d7f', {
            name: '/usr/local/etc/ssl/漢字漢字漢字.pem',
            issuer: 'CN=漢字 Root',
          }),
        ],
      })),
      intents: [],
    }),
};

real(
  'on a terminal no line is wider than it, and from 60 columns on tables are tables',
  async (t) => {
    const { world, config } = await desk(t, verbs);
    const shown = async (columns: number, ...words: string[]): Promise<string[]> => {
      const env = { PROXYCTL_CONFIG: config, LC_ALL: 'C.UTF-8', NO_COLOR: '1' };
      const argv = [process.execPath, PROXYCTL, ...words];
      const { code, screen } = await onTerminal(argv, world.folder, [], env, columns);
      t.is(code, 0, screen);
      return stripVTControlCharacters(screen).split('\n');
    };
    const tooWide: string[] = [];
    const heads: Record<string, string[]> = {};
    for (const columns of [160, 80, 60, 59, 40, 20])
      for (const words of ['status', 'servers', 'cert list', 'help']) {
        const lines = await shown(columns, ...words.split(' '));
        // Examples are there to be copied.
        if (words !== 'help' || columns >= 80)
          for (const line of lines)
            if (stringWidth(line) > columns) tooWide.push(`${columns} ${words}: ${line}`);
        heads[words] = [
          ...(heads[words] ?? []),
          lines.find((line) => /^(SERVER|NAME|NODE)/.test(line)) ?? '',
        ];
      }
    t.deepEqual(tooWide, []);
    t.deepEqual(heads['status'], [
      'NODE       HEALTH   HAPROXY          BACKENDS  SESSIONS  CERTIFICATES',
      'NODE       HEALTH   HAPROXY          BACKENDS  SESSIONS  CERTIFICATES',
      'NODE       HEALTH   HAPROXY  BACKENDS  SESS  CERTS',
      'NODE       HEALTH   HAPROXY  BACKENDS  SESS  CERTS',
      'NODE     * haproxy01',
      'NODE     * haproxy01',
    ]);
  },
);

test('without a terminal screens are 80 columns, whatever COLUMNS says', async (t) => {
  const { run } = await desk(t, verbs);
  const screens = await Promise.all(
    ['status', 'servers'].map((verb) => run([verb], { env: { COLUMNS: '40', LC_ALL: 'C.UTF-8' } })),
  );
  const widest = screens.map(({ stdout }) =>
    Math.max(...stdout.split('\n').map((line) => stringWidth(line))),
  );
  t.true(
    widest.every((width) => width > 60 && width <= 80),
    String(widest),
  );
});
