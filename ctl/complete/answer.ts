import { configPath } from '../connect/contexts.ts';
import { readIfThere } from '../files.ts';
import { buildProgram } from '../program.ts';
import { streams } from '../streams.ts';
import { recall } from './cache.ts';
import { offerFor } from './candidates.ts';
import { refresh, refreshLater } from './refresh.ts';
import { forBash, splitLine, withAbout, type Line } from './shells.ts';

const MOST = 1000;

/**
 * `proxyctl __complete`, which the scripts of `completion` call: prints what the word at the cursor
 * may become, one a line, from what is remembered on disk. It asks no agent, prints nothing else and
 * always ends with 0. First line `:files` or `:folders`: the shell completes a path.
 */
export async function complete([shell = '', ...args]: readonly string[]): Promise<number> {
  try {
    if (shell === 'refresh') {
      const [config = '', context = ''] = args;
      await refresh({ config, context: context === '' ? null : context }, process.env);
    } else for (const line of await answer(shell, args)) process.stdout.write(`${line}\n`);
  } catch {
    // A shell in the middle of a line is no place for a failure.
  }
  return 0;
}

async function answer(shell: string, args: readonly string[]): Promise<readonly string[]> {
  const line: Line =
    shell === 'bash' || shell === 'tcsh'
      ? splitLine((args[0] ?? '').slice(0, Number(args[1] ?? Number.POSITIVE_INFINITY)))
      : { words: args, raw: args.at(-1) ?? '', quote: '' };
  const { env } = process;
  const config = configPath({ config: optionIn(line.words, '--config'), context: null, env });
  const context = optionIn(line.words, '--context') ?? env['PROXYCTL_CONTEXT'] ?? null;
  const known = recall({ config, context }, env);
  refreshLater({ config, context }, known, env);
  const [verb = ''] = line.words.length > 1 ? line.words : [];
  const program = buildProgram(verb, streams, () => undefined);
  const contexts = asksForContexts(line.words) ? await contextsIn(config) : [];
  const offer = offerFor(program, line.words, { known, contexts });
  if (offer.kind !== 'words') return [`:${offer.kind}`];
  const current = line.words.at(-1) ?? '';
  const fitting = offer.list.filter(({ word }) => word.startsWith(current)).slice(0, MOST);
  const words = fitting.map(({ word }) => word);
  if (shell === 'bash') return forBash(words, line, env['COMP_WORDBREAKS'] ?? '=:@');
  // It takes the answer apart at white space, and escapes the rest itself.
  if (shell === 'tcsh') return words.filter((word) => !/\s/.test(word));
  return shell === 'sh' ? words : withAbout(fitting);
}

/** The value of an option on the line, before the word at the cursor. */
function optionIn(words: readonly string[], name: string): string | null {
  const done = words.slice(0, -1);
  const joined = done.findLast((word) => word.startsWith(`${name}=`));
  if (joined !== undefined) return joined.slice(name.length + 1);
  const at = done.lastIndexOf(name);
  return at < 0 ? null : (done[at + 1] ?? null);
}

/** config.toml is read only where its names are asked for: that takes its time. */
const asksForContexts = (words: readonly string[]): boolean =>
  words[0] === 'context' || words.some((word) => word.startsWith('--context'));

async function contextsIn(path: string): Promise<string[]> {
  const { parse } = await import('smol-toml');
  const { contexts } = parse(readIfThere(path) ?? '');
  return typeof contexts === 'object' ? Object.keys(contexts) : [];
}
