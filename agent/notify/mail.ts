import { messageSubject, messageText, type NotifyMessage } from '../core/notify/notify-message.ts';
import { run } from './run.ts';

/** Columns of a mail's text. */
const COLUMNS = 72;
/** Bytes of UTF-8 in one encoded word, which may have 75 characters (RFC 2047). */
const WORD_BYTES = 39;
const LONGEST_SUBJECT = 200;

/** Gives the message to sendmail(8): the program, whom it is from and to. Rejects with one sentence. */
export const mail =
  (options: {
    readonly sendmail: string;
    readonly from: string;
    readonly to: readonly string[];
    readonly timeoutMs: number;
    readonly wallMs: () => number;
  }) =>
  (message: NotifyMessage): Promise<void> => {
    const { sendmail, from, to, timeoutMs, wallMs } = options;
    const argv = [sendmail, '-i', '-f', from, '--', ...to];
    return run(argv, mailText(message, { from, to, wallMs: wallMs() }), timeoutMs);
  };

/** The mail as RFC 5322 wants it, lines ended as sendmail(8) does it. Nothing in a message can add a header. */
export function mailText(
  message: NotifyMessage,
  { from, to, wallMs }: { from: string; to: readonly string[]; wallMs: number },
): string {
  const headers = [
    `From: ${from}`,
    `To: ${to.join(', ')}`,
    `Subject: ${headerText(messageSubject(message))}`,
    `Date: ${new Date(wallMs).toUTCString().replace('GMT', '+0000')}`,
    'Auto-Submitted: auto-generated',
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
  ];
  const body = plain(messageText(message)).split('\n').flatMap(folded);
  return `${headers.join('\n')}\n\n${body.join('\n')}\n`;
}

// oxlint-disable-next-line no-control-regex -- they are what is taken out
const CONTROLS = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029]/g;
const plain = (text: string): string => text.replaceAll(CONTROLS, ' ');

/** One line of printable characters; others than ASCII as encoded words. */
function headerText(text: string): string {
  const line = plain(text).replaceAll('\n', ' ').slice(0, LONGEST_SUBJECT);
  if (/^[ -~]*$/.test(line)) return line;
  const words: string[] = [];
  let word = '';
  for (const letter of line) {
    if (Buffer.byteLength(word + letter) > WORD_BYTES) {
      words.push(word);
      word = '';
    }
    word += letter;
  }
  return [...words, word]
    .map((one) => `=?utf-8?B?${Buffer.from(one).toString('base64')}?=`)
    .join('\n ');
}

/** A line as lines of at most 72 columns, broken at blanks; what follows has the indent of the first. */
function folded(line: string): string[] {
  const indent = /^ */.exec(line)?.[0] ?? '';
  const lines: string[] = [];
  let current = line;
  while (current.length > COLUMNS) {
    const at = current.lastIndexOf(' ', COLUMNS);
    const cut = at > indent.length ? at : COLUMNS;
    lines.push(current.slice(0, cut).trimEnd());
    current = `${indent}${current.slice(cut).trimStart()}`;
  }
  return [...lines, current];
}
