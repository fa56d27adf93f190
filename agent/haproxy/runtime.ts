import { connect } from 'node:net';
import { NO_RESERVE, type Descriptors } from '../sys/descriptors.ts';
import { isSystemError } from '../sys/files.ts';

/** How a runtime command can fail. Callers switch on `kind`, never on message text. */
export type RuntimeFailure =
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'denied' }
  | { readonly kind: 'timeout'; readonly afterMs: number }
  | { readonly kind: 'broken'; readonly code: string }
  | { readonly kind: 'empty' }
  /** The connection ended within a reply: HAProxy died meanwhile. */
  | { readonly kind: 'cut'; readonly bytes: number }
  | { readonly kind: 'too-long'; readonly bytes: number }
  | { readonly kind: 'too-large'; readonly bytes: number }
  /** HAProxy answered and said no. */
  | { readonly kind: 'rejected'; readonly text: string }
  /** HAProxy answered something that is not understood. */
  | { readonly kind: 'text'; readonly text: string };

/** A command to HAProxy's stats socket that did not succeed: what was tried, what happened, what to do. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError';
  readonly failure: RuntimeFailure;

  constructor(command: string, path: string, failure: RuntimeFailure, options?: ErrorOptions) {
    super(`${command}: ${describe(failure, path)}`, options);
    this.failure = failure;
  }
}

/**
 * Sends one command, with a payload where it takes one, and resolves to the
 * whole reply. Rejects with RuntimeError; a cut reply is never a short success.
 */
export type Runtime = (command: string, payload?: string) => Promise<string>;

/** Replies longer than this are refused; `show stat` of 10,000 servers is 2.5 MB. */
const REPLY_LIMIT = 16 << 20;
/** No refusal says what matters later than in so many bytes. */
const FIRST_LINE = 200;
/** Below HAProxy 3.4 command and payload have to fit tune.bufsize (16384), and a larger one can kill it. */
export const PAYLOAD_LIMIT = 16_000;

/** Commands that change something get a severity prefix: an error is then `[3]: ` and not prose. */
export const CHANGES = /^(set|add|del|new|commit|abort|enable|disable|shutdown|clear)\b/;

export interface RuntimeOptions {
  readonly deadlineMs: number;
  /** How many bytes command and payload may have together; PAYLOAD_LIMIT unless the version allows more. */
  readonly payloadLimit?: () => number;
  /** What a connection is opened from where no descriptor is left. */
  readonly descriptors?: Descriptors | undefined;
}

/**
 * The stats socket at `path`: one command a connection, one in flight, a
 * deadline each. HAProxy accepts ten connections over all its stats sockets
 * and lets the eleventh hang, so this never holds more than one.
 */
export function runtime(path: string, options: RuntimeOptions): Runtime {
  const { descriptors = NO_RESERVE } = options;
  let queue: Promise<unknown> = Promise.resolve();
  return (line, payload) => {
    // Of several readings in one line the first is named where it fails.
    const [command = ''] = line.split(';', 1);
    const send = (): Promise<string> => {
      const body = payload === undefined ? '' : ` <<\n${payloadBody(payload)}`;
      const prefix = CHANGES.test(line) ? 'set severity-output number;' : '';
      const text = `${prefix}${line}${body}\n`;
      const bytes = Buffer.byteLength(text);
      const limit = options.payloadLimit?.() ?? PAYLOAD_LIMIT;
      // The command is named without its payload: that may be a private key.
      if (bytes > limit) throw new RuntimeError(command, path, { kind: 'too-large', bytes });
      return exchange(path, command, text, options.deadlineMs, null).then(({ bytes: all }) => {
        const reply = all.toString('utf8');
        if (!isWhole(reply, prefix !== ''))
          throw new RuntimeError(command, path, { kind: 'cut', bytes: Buffer.byteLength(reply) });
        return prefix === ''
          ? refuseUnknown(reply, command, path)
          : withoutPrefix(reply, command, path);
      });
    };
    const inTurn = (): Promise<string> => descriptors.spend(async () => send());
    const next = queue.then(inTurn, inTurn);
    queue = next.catch(() => undefined);
    return next;
  };
}

/**
 * The reply to one command that only shows something, up to `limit` bytes: what follows is left
 * out and said. For what an operator reads; `runtime` is for what a program understands.
 */
export async function readReply(
  path: string,
  command: string,
  deadlineMs: number,
  limit: number,
): Promise<{ readonly bytes: Buffer; readonly cut: boolean }> {
  const reply = await exchange(path, command, `${command}\n`, deadlineMs, limit);
  const { bytes, cut } = reply;
  // Its first line: after that of an unknown command comes all that there is.
  const [first = ''] = bytes.subarray(0, FIRST_LINE).toString('utf8').trimStart().split('\n');
  refuseUnknown(first, command, path);
  if (!cut && !isWhole(bytes.subarray(-2).toString('latin1'), false))
    throw new RuntimeError(command, path, { kind: 'cut', bytes: bytes.length });
  return reply;
}

/** `cutAt`: so much of a longer reply is enough; null: a longer one than REPLY_LIMIT is refused. */
function exchange(
  path: string,
  command: string,
  text: string,
  deadlineMs: number,
  cutAt: number | null,
): Promise<{ readonly bytes: Buffer; readonly cut: boolean }> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const socket = connect(path);
    const fail = (failure: RuntimeFailure, cause?: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new RuntimeError(command, path, failure, { cause }));
    };
    const timer = setTimeout(() => fail({ kind: 'timeout', afterMs: deadlineMs }), deadlineMs);
    // Not end(): a half-closed connection cancels some commands on newer versions.
    socket.on('connect', () => socket.write(text));
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      chunks.push(chunk);
      if (cutAt !== null && bytes > cutAt) {
        clearTimeout(timer);
        socket.destroy();
        resolve({ bytes: Buffer.concat(chunks).subarray(0, cutAt), cut: true });
      } else if (bytes > REPLY_LIMIT) fail({ kind: 'too-long', bytes });
    });
    socket.on('error', (error) => fail(failureOf(error), error));
    socket.on('end', () => {
      clearTimeout(timer);
      socket.destroy();
      if (bytes === 0) fail({ kind: 'empty' });
      else resolve({ bytes: Buffer.concat(chunks), cut: false });
    });
  });
}

/** What kind of failure an error of connect(2) or of the connection is. */
export function failureOf(error: Error): RuntimeFailure {
  if (isSystemError(error, 'ENOENT')) return { kind: 'missing' };
  if (isSystemError(error, 'ECONNREFUSED')) return { kind: 'refused' };
  if (isSystemError(error, 'EACCES') || isSystemError(error, 'EPERM')) return { kind: 'denied' };
  return { kind: 'broken', code: 'code' in error ? String(error.code) : error.message };
}

/**
 * HAProxy ends what it prints with an empty line, which alone is an empty list.
 * Some changes leave it out; theirs comes after the empty line of the severity.
 */
const isWhole = (reply: string, isChange: boolean): boolean =>
  isChange ? reply.length > 1 && reply.endsWith('\n') : reply === '\n' || reply.endsWith('\n\n');

/** A reply to a changing command without its severity; an error severity of any of several rejects. */
export function withoutPrefix(reply: string, command: string, path: string): string {
  const text = reply.replace(/^\n/, '');
  const [, refused] = /(?:^|\n)\[[0-3]\]: ?([\s\S]*?)(?:\n\n|$)/.exec(text) ?? [];
  if (refused !== undefined)
    throw new RuntimeError(command, path, { kind: 'rejected', text: oneLine(refused) });
  return refuseUnknown(text.replace(/^\[\d\]: ?/, ''), command, path);
}

/** Refusals HAProxy says in the tone of a remark: no severity, or that of a warning. */
const REFUSALS =
  /^(Unknown command|Permission denied|Invalid addr |No such (server|backend|proxy|table)|set server \S+ fqdn failed|Value out of range|Frontend was previously shut down|Only servers in maintenance|Already exists a server|Health check was not configured|agent checks are not enabled)/;

/** The reply, unless it is one of HAProxy's refusals: then throws RuntimeError. */
export function refuseUnknown(reply: string, command: string, path: string): string {
  if (REFUSALS.test(reply.trimStart()))
    throw new RuntimeError(command, path, { kind: 'rejected', text: oneLine(reply) });
  return reply;
}

/** An empty line would end the payload, and what follows would run as commands. */
function payloadBody(payload: string): string {
  return `${payload
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '')
    .join('\n')}\n`;
}

const oneLine = (text: string): string => text.trim().replace(/\s*\n\s*/g, ' ');

/**
 * One argument of a runtime command: it can neither end the command nor start
 * another. Throws RuntimeError for anything else.
 */
export function word(value: string): string {
  if (/^[^\s\p{Cc};\\<>"'#]+$/u.test(value)) return value;
  const text = 'it has a character that cannot be sent to the stats socket';
  throw new RuntimeError(JSON.stringify(value), '', { kind: 'rejected', text });
}

function describe(failure: RuntimeFailure, path: string): string {
  switch (failure.kind) {
    case 'missing':
      return `no stats socket at ${path}; is HAProxy running, and "stats socket" set?`;
    case 'refused':
      return `nobody listens at ${path}; HAProxy is not running`;
    case 'denied':
      return `no permission for ${path}; give the agent's user access (stats socket ... mode, group)`;
    case 'timeout':
      return `no reply at ${path} within ${failure.afterMs} ms`;
    case 'broken':
      return `the connection to ${path} broke (${failure.code})`;
    case 'empty':
      return `an empty reply at ${path}`;
    case 'cut':
      return `the reply at ${path} ended after ${failure.bytes} bytes`;
    case 'too-long':
      return `a reply of over ${failure.bytes} bytes at ${path}`;
    case 'too-large':
      return `${failure.bytes} bytes are too many for this HAProxy (below 3.4: ${PAYLOAD_LIMIT})`;
    case 'rejected':
      return failure.text;
    case 'text':
      return `HAProxy answered what is not understood: ${JSON.stringify(failure.text.slice(0, 120))}`;
  }
}
