import { dirname } from 'node:path';
import { pino, type DestinationStream, type Logger } from 'pino';
import { withoutKeyAuthorization } from './core/certs/challenge.ts';
import type { Intent } from './core/model.ts';
import { clearOfSecrets, withoutSecrets } from './core/secrets.ts';
import { sentence } from './core/words.ts';
import { makeDirectories } from './sys/files.ts';
import { othersTurn } from './sys/turn.ts';

export interface LogOptions {
  /** Empty: standard output. */
  readonly file: string;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'json' | 'text';
  readonly node: string;
}

export interface Log {
  /** One line: `event` is a stable name, `msg` what a person reads first. */
  info(event: string, fields: Fields, msg: string): void;
  warn(event: string, fields: Fields, msg: string): void;
  error(event: string, fields: Fields, msg: string): void;
  /** Opens the file again after newsyslog(8) moved it away. */
  reopen(): void;
  /** Writes what is buffered; call before exit. */
  flush(): void;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * The agent's log: JSON lines, or text of the same facts for people; times are
 * RFC 3339 with zone. Key material has no way in: only the fields named by
 * callers are written, and passwords in their texts are left out.
 */
export function openLog(options: LogOptions): Log {
  if (options.file !== '') makeDirectories(dirname(options.file), 0o755);
  const target = pino.destination({
    ...(options.file === '' ? { fd: 1 } : { dest: options.file, mode: 0o640 }),
    sync: true,
  });
  const stream: DestinationStream =
    options.format === 'json' ? target : { write: (line) => void target.write(asText(line)) };
  const logger: Logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  const { node } = options;
  return {
    info: (event, fields, msg) =>
      logger.info({ node, event, ...clearOfSecrets(fields) }, withoutSecrets(msg)),
    warn: (event, fields, msg) =>
      logger.warn({ node, event, ...clearOfSecrets(fields) }, withoutSecrets(msg)),
    error: (event, fields, msg) =>
      logger.error({ node, event, ...clearOfSecrets(fields) }, withoutSecrets(msg)),
    reopen: () => {
      if (options.file !== '') target.reopen();
    },
    flush: () => target.flushSync(),
  };
}

/** `TIME LEVEL EVENT key=value …: message`, one line. */
function asText(line: string): string {
  const { time, level, node: _node, event, msg, ...rest } = JSON.parse(line) as Fields;
  const facts = Object.entries(rest).map(([key, value]) =>
    typeof value === 'string' && /^[^\s"]+$/.test(value)
      ? `${key}=${value}`
      : `${key}=${JSON.stringify(value)}`,
  );
  return `${[time, level, event, ...facts].join(' ')}: ${String(msg)}\n`;
}

/** The loop's events under their stable names. */
export const loopLog = (log: Log) => ({
  carpChanged: (fields: Fields): void =>
    log.info('carp-changed', fields, `CARP ${String(fields['to'])}`),
  decided: (fields: Fields): void => log.info('decided', fields, String(fields['reason'])),
  actionFailed: (fields: Fields): void =>
    log.warn('action-failed', fields, String(fields['cause'])),
  problem: ({ subject, cause }: Fields): void =>
    log.warn('alert', { id: 'problem', subject, state: 'raised', why: cause }, String(cause)),
});

/** What a listener cannot answer for, in the agent's log. */
export const serverNotices = (log: Log) => ({
  refused: (who: string, method: string, reason: string): void =>
    log.warn('alert', { id: 'refused-client', subject: who, method }, reason),
  failed: (method: string, error: unknown): void =>
    log.error(
      'internal-error',
      { method, stack: error instanceof Error ? error.stack : '' },
      sentence(error),
    ),
});

/** What the listeners tell of whom they turn away unseen: one line a minute, and an alert while it matters. */
export const strangerEvents = (
  log: Log,
  problems: {
    raise(subject: string, cause: string, remedy: string): void;
    clear(subject: string): void;
  },
  refused: (turned: {
    readonly source: string;
    readonly cause: string;
    readonly count: number;
  }) => void,
) => ({
  refused,
  summary: (text: string, fields: Fields): void => log.info('strangers', fields, text),
  keptOut: (cause: string | null): void => {
    const id = 'problem';
    if (cause === null) {
      log.info(
        'alert',
        { id, subject: KEPT_OUT, state: 'solved' },
        'nobody was kept out for a minute',
      );
      problems.clear(KEPT_OUT);
    } else {
      log.warn('alert', { id, subject: KEPT_OUT, state: 'raised', why: cause }, cause);
      problems.raise(KEPT_OUT, cause, KEPT_OUT_REMEDY);
    }
  },
});
const KEPT_OUT = 'connections-refused';
const KEPT_OUT_REMEDY =
  'the line strangers in the log says where most connections come from; let pf keep those away from the agent port';

/** So many lines are written at a time: each waits for the disk. */
const PIECE = 100;

/**
 * One line an intent that is new here; a key authorization is left out. Of many the first are
 * written now, and the others between the turns of everybody else.
 */
export async function logIntents(log: Log, taken: readonly Intent[]): Promise<void> {
  for (const [at, intent] of taken.entries()) {
    if (at > 0 && at % PIECE === 0) await othersTurn();
    const { key, value, deleted, actor, requestId } = withoutKeyAuthorization(intent);
    log.info('intent-stored', { key, value, deleted, actor, request_id: requestId }, key);
  }
}
