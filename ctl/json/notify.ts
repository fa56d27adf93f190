import type { NotifyTested } from '../../agent/core/notify/notify.ts';

/** The `result` of `notify test`. */
export interface NotifyTestJson {
  readonly nodes: readonly {
    readonly node: string;
    readonly targets: readonly {
      readonly name: string;
      readonly arrived: boolean;
      readonly problem: string;
      readonly took_ms: number;
    }[];
  }[];
}

export const notifyTestResult = ({ nodes }: Pick<NotifyTested, 'nodes'>): NotifyTestJson => ({
  nodes: nodes.map(({ node, targets }) => ({
    node,
    targets: targets.map(({ name, problem, tookMs }) => ({
      name,
      arrived: problem === '',
      problem,
      took_ms: tookMs,
    })),
  })),
});
