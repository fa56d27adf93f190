import type { NodeCheck } from '../../agent/core/deploy/checked.ts';
import { wordOf } from '../deploy/verdict.ts';
import { linesOf, whyNot } from '../json/config-check.ts';
import { wrapped } from './wrapped.ts';

/** The screen of `config check`: what each node says, and under it what its HAProxy printed. */
export const configCheckScreen = (nodes: readonly NodeCheck[]): string =>
  nodes
    .flatMap((one) => {
      const why = whyNot(one);
      const said = `${wordOf(one).padEnd(10)}${one.node}${why === '' ? '' : `: ${why}`}`;
      // As they are: to be copied, and looked for.
      return [wrapped(said), ...linesOf(one).map((line) => `          ${line}`)];
    })
    .map((line) => `${line}\n`)
    .join('');
