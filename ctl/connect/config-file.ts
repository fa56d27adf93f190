import { readFileSync } from 'node:fs';
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { nearest, sentence } from '../../agent/core/words.ts';
import { splitAddress } from '../../agent/wire/address.ts';
import { usage } from '../failure.ts';

const text = v.pipe(v.string('must be text'), v.minLength(1, 'must not be empty'));
const address = v.pipe(
  text,
  v.check((value) => splitAddress(value) !== null, 'must be IP:PORT or [IP]:PORT'),
);
const addresses = v.union(
  [address, v.pipe(v.array(address), v.minLength(1, 'must not be empty'))],
  'must be IP:PORT or [IP]:PORT, or a list of them',
);
const table = 'must be a table like { NAME = "VALUE" }';
const contextSchema = v.strictObject(
  {
    agents: v.optional(v.record(text, addresses, table)),
    sockets: v.optional(v.record(text, text, table)),
    socket: v.optional(text),
    ca: v.optional(text),
    cert: v.optional(text),
    key: v.optional(text),
  },
  'must be a table',
);
const fileSchema = v.strictObject({
  current: v.optional(text),
  contexts: v.optional(v.record(text, contextSchema, 'must be a table'), {}),
});

/** One context as config.toml has it. */
export type ContextToml = v.InferOutput<typeof contextSchema>;

export interface ConfigFile {
  readonly current: string | undefined;
  readonly contexts: Readonly<Record<string, ContextToml>>;
}

/** Every context of config.toml; throws ActFailure 'usage' with all problems at once. */
export function readConfigFile(path: string): ConfigFile {
  let raw: unknown;
  try {
    raw = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if (!(error instanceof TomlError))
      throw usage(
        `${path} cannot be read`,
        'name another with --config or PROXYCTL_CONFIG',
        sentence(error),
      );
    const said = (error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '');
    throw usage(`${path} is no TOML`, 'mend that line', `line ${error.line}: ${said}`);
  }
  const checked = v.safeParse(fileSchema, raw);
  if (checked.success) return { current: checked.output.current, ...checked.output };
  const problems = checked.issues.map(problemOf);
  const count = problems.length === 1 ? '1 mistake' : `${problems.length} mistakes`;
  throw usage(
    `${path} has ${count}`,
    'mend them; man proxyctl, "FILES", has an example',
    problems.join('; '),
  );
}

function problemOf(issue: v.BaseIssue<unknown>): string {
  const key = v.getDotPath(issue) ?? '';
  if (issue.type !== 'strict_object' || issue.expected !== 'never')
    return `${key}: ${issue.message}`;
  const known = key.includes('.')
    ? Object.keys(contextSchema.entries)
    : Object.keys(fileSchema.entries);
  const near = nearest(key.split('.').at(-1) ?? '', known);
  return `${key}: no such key${near === null ? '' : `, did you mean ${near}?`}`;
}
