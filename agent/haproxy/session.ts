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
  close(): void;
}

interface Turn {
  readonly command: string;
  readonly resolve: (reply: string) => void;
  readonly reject: (error: RuntimeError) => void;
}

/** What ends a reply in interactive mode (management guide, "Unix Socket commands", `prompt`). */
const PROMPT = '\n> ';
/** `show info` is 2 KB; what is asked of an older process is `show stat` of 10,000 servers at most. */
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
  let said = '';
  let ended: RuntimeFailure | null = null;
  let cancel = (): void => {};
  const socket = connect(path);
  socket.setEncoding('utf8');

  function end(failure: RuntimeFailure): void {
    if (ended !== null) return;
    ended = failure;
    cancel();
    socket.destroy();
    for (const { command, reject } of [...(turn === null ? [] : [turn]), ...waiting])
      reject(new RuntimeError(command, path, failure));
    turn = null;
    waiting.length = 0;
  }

  function fail(failure: RuntimeFailure): void {
    if (ended !== null) return;
    end(failure);
    onEnd(failure);
  }

  function next(): void {
    if (turn !== null || ended !== null) return;
    turn = waiting.shift() ?? null;
    if (turn === null) return;
    said = '';
    const late = setTimeout(() => fail({ kind: 'timeout', afterMs: deadlineMs }), deadlineMs);
    cancel = () => clearTimeout(late);
    socket.write(`${turn.command}\n`);
  }

  const send = (command: string): Promise<string> =>
    new Promise((resolve, reject) => {
      if (ended !== null) {
        reject(new RuntimeError(command, path, ended));
        return;
      }
      waiting.push({ command, resolve, reject });
      next();
    });

  socket.on('data', (chunk: string) => {
    said += chunk;
    if (said.length > REPLY_LIMIT) return fail({ kind: 'too-long', bytes: said.length });
    if (turn === null || !said.endsWith(PROMPT)) return;
    const { resolve } = turn;
    turn = null;
    cancel();
    resolve(said.slice(0, 1 - PROMPT.length));
    next();
  });
  socket.on('error', (error) => fail(failureOf(error)));
  socket.on('close', () =>
    fail(said === '' ? { kind: 'empty' } : { kind: 'cut', bytes: Buffer.byteLength(said) }),
  );

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
    close: () => end({ kind: 'broken', code: 'closed' }),
  };
}
