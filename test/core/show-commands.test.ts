import test from 'ava';
import { ActFailure } from '../../agent/core/results.ts';
import { SHOW_NAMES, showCommand, showName } from '../../agent/core/show-commands.ts';

const refusal = (...words: string[]): string => {
  try {
    return `let through: ${showCommand(words).text}`;
  } catch (error) {
    if (!(error instanceof ActFailure)) throw error;
    return `${error.outcome} ${error.detail.code}`;
  }
};

test('readings without secrets are let through, those that name clients to operators', (t) => {
  t.deepEqual(
    [
      ['show', 'info'],
      ['show info'],
      ['show', 'stat', '-1', '2', '-1'],
      ['show ssl crt-list -n /usr/local/etc/ssl/list.txt'],
      ['show', 'ssl', 'cert', '*/usr/local/etc/ssl/www.pem'],
      ['show', 'table'],
      ['show', 'table', 'GITEA'],
      ['show', 'sess'],
    ].map(showCommand),
    [
      { text: 'show info', role: 'viewer' },
      { text: 'show info', role: 'viewer' },
      { text: 'show stat -1 2 -1', role: 'viewer' },
      { text: 'show ssl crt-list -n /usr/local/etc/ssl/list.txt', role: 'viewer' },
      { text: 'show ssl cert */usr/local/etc/ssl/www.pem', role: 'viewer' },
      { text: 'show table', role: 'viewer' },
      { text: 'show table GITEA', role: 'operator' },
      { text: 'show sess', role: 'operator' },
    ],
  );
});

test('what changes something, holds secrets or requests, or costs much is refused', (t) => {
  const commands = [
    'show env',
    'show errors',
    'show sess all',
    'show sess 0x5581',
    'show fd',
    'show map /etc/tokens.map',
    'show acl',
    'show tls-keys',
    'show startup-logs',
    'show threads',
    'show dev',
    'show stat json',
    'show info json',
    'show events buf0',
    'show servers',
    'show',
    '',
    'dump ssl cert /a.pem',
    'set server WEB/web1 state maint',
    'SHOW info',
    'help',
    'prompt',
  ];
  t.deepEqual(
    commands.filter((command) => refusal(command) !== 'usage not_allowed'),
    [],
  );
});

test('nothing that ends a command, starts another or a payload, or names a process gets through', (t) => {
  const tails = [
    ';show env',
    '\nshow env',
    '\r',
    '<<',
    '<<EOF',
    '@1',
    '#',
    '\\',
    '"',
    "'",
    '\t',
    '\0',
    '\u00e9',
  ];
  const commands = tails.flatMap((tail) => [
    `show info ${tail}`,
    `show info${tail}`,
    `show stat a${tail}b`,
  ]);
  t.deepEqual(
    [...commands, '@1 show info', '@!9 show info', 'show stat --jsn'].filter(
      (command) => refusal(command) !== 'usage not_allowed',
    ),
    [],
  );
});

test('a refusal says what is meant, and all that is let through', (t) => {
  const error = t.throws(() => showCommand(['show', 'stt']), { instanceOf: ActFailure });
  t.deepEqual(error?.detail, {
    code: 'not_allowed',
    message: '"show stt" is not passed on to HAProxy',
    cause: 'did you mean show stat?',
    remediation: `these are: show ${SHOW_NAMES.join(', ')}`,
    retryable: false,
  });
});

test('a log names a command by its known words alone', (t) => {
  const commands = [
    'show sess',
    'show servers state be_app',
    'show mine',
    'set x',
    'sess',
    '',
    'show',
  ];
  t.deepEqual(commands.map(showName), [
    'show sess',
    'show servers state',
    'show',
    'show',
    'show',
    'show',
    'show',
  ]);
});
