import { PART_KINDS } from '../../agent/core/haproxy-config/parts.ts';
import type { NodeConfig } from '../../agent/core/haproxy-config/reading.ts';
import type { ConfigDiff } from '../config/verbs.ts';
import { wrapped } from './wrapped.ts';

/** So many of one kind are named on the screen; -o json has all. */
const NAMED = 10;

/** The screen of `proxyctl config diff`: of each comparison the diff, then what it means. */
export function configDiffScreen(diff: ConfigDiff): string {
  const blocks = diff.comparisons.map((one) => {
    const { from, to, changes, sessions, wishes } = one;
    const [here, there] = [from.name, to.name];
    const lines: string[] = [];
    const say = (word: string, text: string): void => {
      lines.push(wrapped(`${word.padEnd(9)} ${text}`));
    };
    const verdict = changes.differs
      ? 'differ'
      : one.textDiffers
        ? 'differ in comments, spacing or names of nodes only'
        : 'are the same';
    lines.push(wrapped(`${here} and ${there} ${verdict}`, 2));
    const side = (word: string, parts: (typeof changes)['gone']): void => {
      for (const kind of PART_KINDS)
        if (parts[kind].length > 0) say(word, `${nameOf(kind, parts[kind])} ${few(parts[kind])}`);
    };
    side(to.isNode ? `only ${here}:` : 'gone', changes.gone);
    side(to.isNode ? `only ${there}:` : 'new', changes.added);
    for (const { server, from: old, to: now } of changes.moved.slice(0, NAMED))
      say('moved', `server ${server}: ${old} in ${here}, ${now} in ${there}`);
    if (changes.moved.length > NAMED) say('moved', `${changes.moved.length - NAMED} more servers`);
    if (changes.sections.length > 0) say('sections', few(changes.sections));
    for (const { node, server, sessions: count } of sessions.slice(0, NAMED))
      say(
        'sessions',
        `${node} has ${count} at ${server}, which ${node === here ? there : here} has not`,
      );
    if (sessions.length > NAMED) say('sessions', `at ${sessions.length - NAMED} more servers`);
    for (const { server, wish, actor } of wishes.slice(0, NAMED))
      say('wishes', `${wish} of ${server} by ${actor} would have no server`);
    if (wishes.length > NAMED) say('wishes', `of ${wishes.length - NAMED} more servers`);
    return `${one.diff}${one.diff === '' ? '' : '\n'}${lines.join('\n')}`;
  });
  const read = diff.nodes.filter(({ files, problem }) => problem === '' && files.length > 0);
  const alone =
    diff.comparisons.length > 0
      ? []
      : [
          `nothing to compare: ${read.length === 0 ? 'no node' : `only ${read[0]?.node ?? ''}`} was read`,
        ];
  const notes = [
    ...diff.nodes.flatMap(remarksOn),
    ...(diff.unknown === '' ? [] : [wrapped(`unknown   sessions and wishes: ${diff.unknown}`)]),
    ...(diff.secretsCompared
      ? diff.comparisons.some((one) => one.diff.includes('<secret-'))
        ? [wrapped('secrets   the same number is the same value in the same place')]
        : []
      : [
          wrapped(
            'secrets   not compared: whether one of a file is that of a node is told to admins only',
          ),
        ]),
  ];
  return `${[...blocks, ...alone, ...(notes.length > 0 ? [notes.join('\n')] : [])].join('\n\n')}\n`;
}

/** The screen of `proxyctl config show`: a few comments on each file, then its text. */
export function configShowScreen(nodes: readonly NodeConfig[]): string {
  const blocks = nodes.flatMap((node) => {
    const { node: name, files, version, loaded, why, startedAt } = node;
    const remarks = remarksOn(node).join('\n');
    if (files.length === 0) return remarks === '' ? [] : [`${remarks}\n`];
    const isLoaded = { yes: 'loaded', no: 'NOT LOADED', unknown: 'not known to be loaded' }[loaded];
    const since = startedAt === '' ? '' : `, HAProxy runs since ${shownTime(startedAt)}`;
    const head = [
      wrapped(`# ${name}: version ${version}, ${isLoaded}${since}`, 2),
      ...(why === '' ? [] : [wrapped(`# ${why}`, 2)]),
    ];
    const texts = files.map(({ path, text, changedAt }) => {
      const end = text.endsWith('\n') ? '' : '\n';
      return `# ${path}, written ${shownTime(changedAt)}\n${text}${end}`;
    });
    return [`${head.join('\n')}\n${texts.join('\n')}${remarks === '' ? '' : `\n${remarks}\n`}`];
  });
  return blocks.join('\n');
}

/** What is missing of a node's files, and how they were read. */
const remarksOn = ({ node, problem, problems, notes }: NodeConfig): string[] => [
  ...(problem === '' ? [] : [wrapped(`not read  ${node}: ${problem}`)]),
  ...problems.map((one) => wrapped(`not read  ${node}: ${one}`)),
  ...notes.map((one) => wrapped(`note      ${node}: ${one}`)),
];

const shownTime = (time: string): string => `${time.slice(0, 19).replace('T', ' ')}Z`;

const nameOf = (kind: string, { length }: readonly string[]): string =>
  length === 1 ? kind.slice(0, -1) : kind;

const few = (names: readonly string[]): string =>
  names.length <= NAMED
    ? names.join(', ')
    : `${names.slice(0, NAMED).join(', ')} and ${names.length - NAMED} more`;
