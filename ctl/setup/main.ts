import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { exampleResult, hostResult, setupResult } from '../json/setup.ts';
import { sentence } from '../../agent/core/words.ts';
import { usage } from '../failure.ts';
import { modeOf, putFile, readIfThere } from '../files.ts';
import { wrapped } from '../render/wrapped.ts';
import type { NodeRow } from '../json/envelope.ts';
import type { Streams } from '../streams.ts';
import { readAnswers, type Problem } from './answers.ts';
import { EXAMPLE } from './example.ts';
import { earlierPassword, newPassword, writeTree } from './out.ts';
import type { Plan } from './plan.ts';
import { askAnswers } from './questions.ts';
import { writeHost } from './write.ts';

/** `proxyctl setup`, as it was asked for. */
export interface SetupOptions {
  readonly output: 'table' | 'json';
  readonly example?: boolean;
  readonly out?: string;
  readonly pki?: string;
  readonly write?: string;
  readonly host?: string;
  readonly root?: string;
  readonly yes?: boolean;
  readonly skip?: readonly string[];
}

/** How it ended: exit code, and for JSON whether something changed and the result. */
export interface SetupEnd {
  readonly code: number;
  readonly changed: boolean;
  readonly result: object;
  /** False for what an exit code alone does not tell from a dry run; absent: true. */
  readonly ok?: boolean;
  readonly nodes?: readonly NodeRow[];
}

const CHECKED = 'Nothing was written: --out DIR writes the files of both hosts.';

/** Runs `proxyctl setup`. Rejects with ActFailure; then nothing was written unless it says so. */
export async function setup(
  answers: string | undefined,
  options: SetupOptions,
  io: Streams,
  nowMs: number,
): Promise<SetupEnd> {
  if (options.example === true) {
    io.out(EXAMPLE);
    return { code: 0, changed: false, result: exampleResult(EXAMPLE) };
  }
  const terminal = process.stdin.isTTY && process.stderr.isTTY;
  if (options.write !== undefined)
    return write(options.write, answers, options, terminal, io, nowMs);
  const out = options.out === undefined ? null : resolve(options.out);
  const file = answers ?? (out !== null && terminal ? join(out, 'answers.toml') : null);
  if (file === null)
    throw usage(
      'there are no answers',
      'proxyctl setup --example > answers.toml, edit it, then: proxyctl setup answers.toml --out DIR',
    );
  const text = answers === undefined ? await askAnswers() : read(answers);
  const shown = answers ?? join(options.out ?? '', 'answers.toml');
  // Nineteen questions are not asked twice for one mistake.
  const kept = answers === undefined && out !== null ? () => keepAnswers(out, file, text) : null;
  const plan = checked(shown, text, out, io, kept);
  if (out === null) {
    io.err(`${CHECKED}\n`);
    return { code: 0, changed: false, result: setupResult([]) };
  }
  const written = await writeTree(plan, out, resolve(options.pki ?? join(out, 'pki')), nowMs);
  if (answers === undefined) putFile(file, text, 0o600);
  for (const { path, what } of written)
    io.out(`${what === 'new' ? 'wrote  ' : 'changed'}  ${join(options.out ?? '', path)}\n`);
  io.err(
    written.length === 0
      ? `Nothing to do: ${options.out} is as the answers say.\n`
      : next(options.out ?? '', plan),
  );
  return { code: 0, changed: written.length > 0, result: setupResult(written) };
}

/** The plan, or every problem on standard error and a failure that counts them. */
function checked(
  file: string,
  text: string,
  out: string | null,
  io: Streams,
  keep: (() => void) | null,
): Plan {
  const password = (out === null ? null : earlierPassword(out)) ?? newPassword();
  const { plan, problems, warnings } = readAnswers(text, password);
  const say = (kind: string, { line, key, message }: Problem): void =>
    io.err(`${wrapped(`${file}:${line}: ${kind}${key === '' ? '' : `${key}: `}${message}`, 2)}\n`);
  for (const problem of warnings) say('note: ', problem);
  for (const problem of problems) say('', problem);
  if (/^\s*password\s*=/m.test(text) && ((modeOf(file) ?? 0) & 0o077) !== 0)
    io.err(`${file}: note: it holds the password and others can read it: chmod 600 ${file}\n`);
  if (plan !== null) return plan;
  const count = problems.length === 1 ? '1 mistake' : `${problems.length} mistakes`;
  keep?.();
  throw usage(
    `${file} has ${count}; ${keep === null ? 'nothing was written' : 'nothing else was written'}`,
    keep === null
      ? 'mend the lines above; proxyctl setup --example shows every key'
      : `mend them in it, then: proxyctl setup ${file} --out ${dirname(file)}`,
    problems.length === 1 ? '' : `the first: line ${problems[0]?.line}, ${problems[0]?.key}`,
  );
}

function keepAnswers(out: string, file: string, text: string): void {
  mkdirSync(out, { recursive: true, mode: 0o700 });
  putFile(file, text, 0o600);
}

function read(file: string): string {
  try {
    const text = readIfThere(file);
    if (text !== null) return text;
  } catch (error) {
    throw usage(`${file} cannot be read`, 'see its owner and mode', sentence(error));
  }
  throw usage(
    `there is no file ${file}`,
    'proxyctl setup --example > answers.toml prints one to edit',
  );
}

function next(out: string, { hosts, operators, pair }: Plan): string {
  const lines = hosts.flatMap(({ node, name }) => [
    `  scp -rp ${join(out, node)} root@${name}:setup`,
    `  ssh -t root@${name} proxyctl setup --write setup`,
  ]);
  const laptops = operators.map(
    ({ name }) => `  proxyctl context import ${name}     there, of ${join(out, 'operators', name)}`,
  );
  return `\nLook at the files, then bring each host its own, and only its own:
${lines.join('\n')}
Each operator his own folder, and on his machine:
${laptops.join('\n')}
Keep ${join(out, 'pki/ca.key')} where it is: it issues certificates of ${pair}.
`;
}

async function write(
  tree: string,
  answers: string | undefined,
  options: SetupOptions,
  terminal: boolean,
  io: Streams,
  nowMs: number,
): Promise<SetupEnd> {
  if (answers !== undefined || options.out !== undefined)
    throw usage(
      '--write takes the files that --out wrote, not answers',
      'first setup ANSWERS --out DIR, then setup --write DIR',
    );
  const { outcome, host, files, commands } = await writeHost(
    {
      tree,
      host: options.host ?? null,
      root: resolve(options.root ?? '/'),
      yes: options.yes === true,
      skip: options.skip ?? [],
      terminal: terminal && options.output === 'table',
    },
    io,
    nowMs,
  );
  const result = hostResult(host, files, commands);
  if (outcome === 'nothing') {
    io.err('Nothing to do: every file is as setup would write it.\n');
    return { code: 0, changed: false, result };
  }
  if (outcome === 'not-told') {
    io.err('Nothing was changed: --yes writes this.\n');
    return { code: 3, changed: false, result };
  }
  for (const { path, backup } of files)
    io.err(`wrote /${path}${backup === null ? '' : `, before: ${backup}`}\n`);
  io.err(
    `\nNothing was restarted. Run, in this order:\n${commands.map((one) => `  ${one}`).join('\n')}\n`,
  );
  return { code: 0, changed: true, result };
}
