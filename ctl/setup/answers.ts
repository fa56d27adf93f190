import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { explain, shortened, type Reader } from '../../agent/config/issues.ts';
import { positionsIn } from '../../agent/config/positions.ts';
import { contradictions } from './contradictions.ts';
import type { Finding } from './raw.ts';
import type { Plan, Prefixed, Vhid } from './plan.ts';
import { answersToml, splitPrefix, type AnswersToml } from './schema.ts';

/** One thing that is wrong, or a remark. The line counts from 1. */
export interface Problem {
  readonly line: number;
  /** Dotted, as it would be written. */
  readonly key: string;
  readonly message: string;
}

/** A plan, or everything that is wrong; remarks stop nothing. */
export interface Answers {
  readonly plan: Plan | null;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * Reads an answer file: every problem at once, in the order of the lines.
 * `password` is used where the file names none.
 */
export function readAnswers(text: string, password: string): Answers {
  const { mended, numbers } = misspeltNumbers(text);
  let raw: unknown;
  try {
    raw = parse(mended);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const said = (error.message.split('\n')[0] ?? '').replace(/^Invalid TOML document: /, '');
    const problem = { line: error.line, key: '', message: `no TOML: ${said}` };
    return { plan: null, problems: inOrder([...numbers, problem]), warnings: [] };
  }
  const at = positionsIn(mended);
  const placed = ({ path, message }: Finding): Problem => ({
    line: at(path).line,
    key: path.map((part) => (typeof part === 'number' ? part + 1 : part)).join('.'),
    message,
  });
  const checked = v.safeParse(answersToml, raw);
  const schema = (checked.issues ?? []).map((issue) => {
    const path = (issue.path ?? []).map(({ key }) => key as string | number);
    return { path, message: explain(deepest(issue), path, READER) };
  });
  const { wrong, remarks } = contradictions(raw);
  const lines = new Set(numbers.map(({ line }) => line));
  const found = [...schema, ...wrong].map(placed).filter(({ line }) => !lines.has(line));
  const problems = inOrder([...numbers, ...found]);
  const warnings = inOrder(remarks.map(placed));
  if (!checked.success || problems.length > 0) return { plan: null, problems, warnings };
  return { plan: planOf(checked.output, password), problems, warnings };
}

const inOrder = (problems: readonly Problem[]): Problem[] =>
  [...problems].sort((a, b) => a.line - b.line);

/** A value that begins as a number and holds a letter: one bare word is no TOML, and would hide the rest. */
const NUMBER =
  /(?<==\s*|[,[{]\s*)\d[\w.]*[^\s\w.,:/\][}{"'#=-][^\s,\]}#]*|(?<==\s*)\d+[A-Za-z][^\s,\]}#]*/gu;

function misspeltNumbers(text: string): { mended: string; numbers: Problem[] } {
  const numbers: Problem[] = [];
  const lines = text.split('\n').map((line, index) => {
    const code = line.replaceAll(/"(?:[^"\\]|\\.)*"|'[^']*'/g, (quoted) =>
      ' '.repeat(quoted.length),
    );
    let mended = line;
    for (const { 0: word, index: from } of code.split('#')[0]?.matchAll(NUMBER) ?? []) {
      if (/^(\d{4}-|0x|0o|0b|\d+e\d)/i.test(word)) continue;
      const odd = /[^0-9_]/u.exec(word)?.[0] ?? '';
      numbers.push({
        line: index + 1,
        key: /^\s*([\w.-]+)\s*=/.exec(line)?.[1] ?? '',
        message: `${word} is no number: take out the ${JSON.stringify(odd)}, write it with the digits 0 to 9`,
      });
      mended = mended.slice(0, from) + '1'.padEnd(word.length) + mended.slice(from + word.length);
    }
    return mended;
  });
  return { mended: lines.join('\n'), numbers };
}

/** The issue of the alternative that came closest: of several forms, the one given. */
function deepest(issue: v.BaseIssue<unknown>): v.BaseIssue<unknown> {
  const inner = (issue.issues ?? []).find((one) => (one.path ?? []).length > 0);
  return inner === undefined ? issue : deepest(inner);
}

const READER: Reader = {
  entries: answersToml.entries,
  missing: () => 'missing: see proxyctl setup --example',
  // Never the password itself.
  shown: (key, input) =>
    key === 'password' ? null : shortened(JSON.stringify(input) ?? 'that', 50),
};

/** A VIP with the length that CARP aliases have unless one is given: the address alone. */
function vipOf(given: string): Prefixed {
  const family = given.includes(':') ? 6 : 4;
  const whole = given.includes('/') ? given : `${given}/${family === 4 ? 32 : 128}`;
  return splitPrefix(whole) ?? { address: given, length: family === 4 ? 32 : 128, family };
}

const nodeOf = (name: string): string => name.split('.')[0] ?? name;

function planOf(answers: AnswersToml, made: string): Plan {
  const [first, second] = answers.host.map((host) => ({
    name: host.name,
    node: nodeOf(host.name),
    interface: host.interface,
    addresses: host.address.flatMap((one) => splitPrefix(one) ?? []),
    gateways: host.gateway,
  }));
  if (first === undefined || second === undefined) throw new Error('the schema asks for two hosts');
  const { operators: operatorsFrom = [], ssh: sshFrom = null } = answers.firewall;
  return {
    pair: answers.pair,
    network: answers.network,
    preempt: answers.preempt,
    password: answers.password ?? made,
    hosts: [first, second],
    vhids: answers.vhid.map(({ id, vips, advskew }): Vhid => {
      const given = Array.isArray(vips) ? vips : (Object.values(vips)[0] ?? []);
      return {
        id,
        vips: given.map(vipOf),
        advskew: advskew ?? { [first.node]: 0, [second.node]: 100 },
      };
    }),
    operators: answers.operator,
    sshFrom,
    operatorsFrom,
    certificate: answers.haproxy.certificate,
    peersPort: answers.haproxy.peers_port,
    backends: answers.backend.map((one) => ({
      ...one,
      hosts: one.hosts ?? [],
      verify: one.verify,
      ca: one.ca ?? null,
    })),
    defaultBackend: answers.haproxy.default ?? null,
  };
}
