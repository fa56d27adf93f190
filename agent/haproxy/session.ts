import { connect } from 'node:net';
import {
  CHANGES,
  RuntimeError,
  failureOf,
  refuseUnknown,
  withoutPrefix,
  type Runtime,
  type RuntimeFailure,
} from './runtime.ts';

/** One connection to a stats socket that stays: it goes on to ask the process that accepted it. */
export interface CliSession {
  /** One command at a time, without a payload; rejects with RuntimeError, always once it has ended. */
  readonly ask: Runtime;
  /** The same for a reading that is asked again and again: costs less, and gives the reply as it is. */
  readonly put: (command: string, done: (reply: string) => void) => void;
  close(): void;
}

interface Turn {
  readonly command: string;
  readonly done: (reply: string) => void;
  /** Not called for `put`: onEnd tells. */
  readonly fail: ((error: RuntimeError) => void) | null;
}

/** What ends a reply in interactive mode (management guide, "Unix Socket commands", `prompt`). */
const PROMPT = Buffer.from('\n> ');
/** What is read at once; `show info` is 2 KB. */
const CHUNK = 16_384;
/** What is asked of an older process is `show stat` of 10,000 servers at most. */
const REPLY_LIMIT = 16 << 20;

/**
 * Opens an interactive session (`prompt`) at `path`. A command that is not answered within
 * `deadlineMs` ends it, since a late reply would be taken for that to the next command. `onEnd`
 * is called once, and not after `close`; until then a process that stops is kept alive by it.
 */
export function cliSession(
  path: string,
  deadlineMs: number,
  onEnd: (failure: RuntimeFailure) => void,
): CliSession {
  const waiting: Turn[] = [];
  let turn: Turn | null = null;
  /** What of the reply came before the present piece, which is overwritten by the next one. */
  let parts: Buffer[] = [];
  let bytes = 0;
  let ended: RuntimeFailure | null = null;
  // Twenty times a second: neither a stream of buffers to read from nor a timer for each reply.
  const socket = connect({
    path,
    onread: { buffer: Buffer.allocUnsafe(CHUNK), callback: (size, chunk) => read(size, chunk) },
  });
  const late = setTimeout(tooLate, deadlineMs);

  function end(failure: RuntimeFailure): void {
    if (ended !== null) return;
    ended = failure;
    clearTimeout(late);
    socket.destroy();
    for (const { command, fail: refuse } of [...(turn === null ? [] : [turn]), ...waiting])
      refuse?.(new RuntimeError(command, path, failure));
    turn = null;
    waiting.length = 0;
  }

  function fail(failure: RuntimeFailure): void {
    if (ended !== null) return;
    end(failure);
    onEnd(failure);
  }

  function tooLate(): void {
    if (turn !== null) fail({ kind: 'timeout', afterMs: deadlineMs });
  }

  function next(): void {
    if (turn !== null || ended !== null) return;
    turn = waiting.shift() ?? null;
    if (turn === null) return;
    [parts, bytes] = [[], 0];
    late.refresh();
    socket.write(`${turn.command}\n`);
  }

  function put(command: string, done: Turn['done'], refuse: Turn['fail'] = null): void {
    if (ended !== null) {
      refuse?.(new RuntimeError(command, path, ended));
      return;
    }
    waiting.push({ command, done, fail: refuse });
    next();
  }

  const send = (command: string): Promise<string> =>
    new Promise((resolve, reject) => put(command, resolve, reject));

  /** One piece of the reply to the turn; true: go on reading. */
  function read(size: number, chunk: Uint8Array): boolean {
    bytes += size;
    if (bytes > REPLY_LIMIT) fail({ kind: 'too-long', bytes });
    if (turn === null) return true;
    const piece = Buffer.from(chunk.buffer, chunk.byteOffset, size);
    const last =
      parts.length > 0 && size < PROMPT.length ? Buffer.concat([...parts, piece]) : piece;
    if (!last.subarray(-PROMPT.length).equals(PROMPT)) {
      parts.push(Buffer.from(piece));
      return true;
    }
    const whole = parts.length === 0 ? piece : Buffer.concat([...parts, piece]);
    const { done } = turn;
    turn = null;
    // The newline before the prompt is the reply's.
    done(whole.toString('utf8', 0, whole.length + 1 - PROMPT.length));
    next();
    return true;
  }

  socket.on('error', (error) => fail(failureOf(error)));
  socket.on('close', () => fail(bytes === 0 ? { kind: 'empty' } : { kind: 'cut', bytes }));

  // Its failure is told by onEnd.
  send('prompt').catch(() => undefined);
  // Changes say how they ended only by a severity, which then stands before readings too.
  const change = async (command: string): Promise<string> => {
    const [, reply] = await Promise.all([
      send('set severity-output number'),
      send(command),
      send('set severity-output none'),
    ]);
    return withoutPrefix(reply, command, path);
  };
  return {
    async ask(command, payload) {
      if (payload !== undefined)
        throw new RuntimeError(command, path, { kind: 'rejected', text: 'it takes no payload' });
      if (CHANGES.test(command)) return change(command);
      return refuseUnknown(await send(command), command, path);
    },
    put: (command, done) => put(command, done),
    close: () => end({ kind: 'broken', code: 'closed' }),
  };
}
