/** Each key and what it does, one a line: of the screen and of `top --help`. */
export const KEYS = [
  '  q, Ctrl-C           quit',
  '  ?, h                this help',
  '  n s u r             sort by name, sessions, queue, rate; > stands at that column',
  '  /                   filter by a part of the name; Esc shows all again',
  '  Tab                 the next node alone, then all side by side',
  '  b                   a row for each backend, or for each server',
  '  o                   only what is out: drained, in maintenance, down',
  '  Up Down             mark a row with >; Esc: none',
  '  PgUp PgDn Home End  scroll',
  '  D R M               drain, ready or maint of the marked row, on every node:',
  '                      asks first. For the role operator; refusals are shown here',
];

/** The screen of the help key. */
export const HELP = [
  'proxyctl top: any key goes back',
  '',
  ...KEYS,
  '',
  'RATE/S: new sessions a second. A node alone also has, as far as there is room,',
  '5XX: responses; ERR: failed connections and responses; MS: mean response time;',
  'OUT and IN: bytes. They count since HAProxy started; "-" where it does not say.',
];
