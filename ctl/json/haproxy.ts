import type { NodeShow } from '../../agent/core/show-commands.ts';
import { showText } from '../render/show.ts';

/** The `result` of `haproxy`. */
export interface HaproxyShowJson {
  readonly command: string;
  readonly nodes: readonly {
    readonly node: string;
    readonly text: string | null;
    readonly cut: boolean;
  }[];
}

/** What each HAProxy printed; null where there is no reply. */
export const haproxyResult = (command: string, nodes: readonly NodeShow[]): HaproxyShowJson => ({
  command,
  nodes: nodes.map(({ node, problem, bytes, cut }) => ({
    node,
    text: problem === '' ? showText(bytes) : null,
    cut,
  })),
});
