/**
 * A configuration pushed over the pair, as a pure state machine. The node that was asked
 * coordinates. Every node checks before any changes; then one after the other has it installed,
 * reloaded and verified, the MASTER last. The decision falls when the first node has verified it:
 * before that a node that is lost takes all back, after it that node catches up. The refusal of a
 * node that lives takes all back at any time: itself first, so that never two are on their way.
 */

/** One step that every named node is asked for, all at once. */
export interface PushOrder {
  readonly step: 'prepare' | 'install' | 'keep' | 'back';
  readonly nodes: readonly string[];
}

/** `refused`: it lives, and is as it was or says that it is not. `lost`: nothing is known of what it did. */
export interface PushAnswer {
  readonly node: string;
  readonly kind: 'done' | 'refused' | 'lost';
}

/**
 * How it ended. `refused`: nothing was changed anywhere. `rolled-back`: what was changed is back.
 * `stuck`: a node did not confirm that it is; its journal does the rest. `stands`: decided, `lost`
 * nodes catch up.
 */
type PushEnd = 'refused' | 'rolled-back' | 'stuck' | 'pushed' | 'stands';

export interface PushState {
  /** In the order in which they are changed: the MASTER last. */
  readonly order: readonly string[];
  readonly stage: 'prepare' | 'install' | 'keep' | 'back' | 'end';
  /** Nodes that have verified it, in order. */
  readonly done: readonly string[];
  /** Nodes that are still to be put back, in that order. */
  readonly left: readonly string[];
  /** Nodes that did not answer, or did not confirm. */
  readonly lost: readonly string[];
  /** The node whose answer ended it; null while all goes well. */
  readonly broken: string | null;
  /** A node was asked to install it. */
  readonly changed: boolean;
  readonly end: PushEnd | null;
}

/** A push before its first step. */
export const beginPush = (order: readonly string[]): PushState => ({
  order,
  stage: 'prepare',
  done: [],
  left: [],
  lost: [],
  broken: null,
  changed: false,
  end: null,
});

/** What is to be asked next; null at the end. */
export function nextPushOrder({ order, stage, done, left, changed }: PushState): PushOrder | null {
  switch (stage) {
    case 'prepare':
      return { step: 'prepare', nodes: order };
    case 'install':
      return { step: 'install', nodes: order.slice(done.length, done.length + 1) };
    case 'keep':
      return { step: 'keep', nodes: done };
    case 'back':
      // Where nothing was touched there is nothing to be careful with.
      return { step: 'back', nodes: changed ? left.slice(0, 1) : left };
    case 'end':
      return null;
  }
}

/** The state after the answers to its order. */
export function afterPushAnswers(state: PushState, answers: readonly PushAnswer[]): PushState {
  const { order, done, stage } = state;
  const bad = answers.find(({ kind }) => kind !== 'done');
  switch (stage) {
    case 'prepare':
      if (bad === undefined) return { ...state, stage: 'install', changed: true };
      return { ...state, stage: 'back', broken: bad.node, left: order };
    case 'install': {
      if (bad === undefined) {
        const now = [...done, ...answers.map(({ node }) => node)];
        return { ...state, done: now, stage: now.length === order.length ? 'keep' : 'install' };
      }
      const { node, kind } = bad;
      if (kind === 'lost' && done.length > 0)
        return { ...state, stage: 'keep', broken: node, lost: [node] };
      const untouched = order.slice(done.length + 1);
      // What was changed last first: a MASTER that was never touched serves meanwhile.
      const left = [node, ...[...done].reverse(), ...untouched];
      return { ...state, stage: 'back', broken: node, left };
    }
    case 'keep':
      return { ...state, stage: 'end', end: state.lost.length > 0 ? 'stands' : 'pushed' };
    case 'back': {
      const asked = answers.map(({ node }) => node);
      const lost = [
        ...state.lost,
        ...answers.filter(({ kind }) => kind !== 'done').map(({ node }) => node),
      ];
      const left = state.left.filter((node) => !asked.includes(node));
      if (left.length > 0) return { ...state, left, lost };
      // What was prepared alone is nothing that a node has to confirm: it ends by itself.
      const end = !state.changed ? 'refused' : lost.length > 0 ? 'stuck' : 'rolled-back';
      return { ...state, left, lost, stage: 'end', end };
    }
    case 'end':
      return state;
  }
}
