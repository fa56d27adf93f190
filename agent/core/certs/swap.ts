/**
 * The certificate swap over the pair, as a pure state machine. The node that was asked
 * coordinates. The decision falls when the first node has verified what it serves: before
 * that every restart aborts, after it every restart completes, and only the refusal of a
 * node that lives rolls all back.
 */

/** How far a node's own part is, as its journal has it. */
export const SWAP_PHASES = ['prepared', 'committing', 'committed', 'aborting', 'aborted'] as const;
export type SwapPhase = (typeof SWAP_PHASES)[number];

/** What a node says of a swap it is asked about. */
export const SWAP_WORDS = [...SWAP_PHASES, 'finished', 'unknown'] as const;
export type SwapWord = (typeof SWAP_WORDS)[number];

export interface SwapStanding {
  readonly phase: SwapWord;
  /** That node carries it out now. */
  readonly running: boolean;
}

/** One step that every named node is asked for. */
export type SwapOrder =
  | { readonly step: 'prepare'; readonly nodes: readonly string[] }
  | { readonly step: 'commit'; readonly nodes: readonly string[] }
  | { readonly step: 'finish'; readonly nodes: readonly string[] }
  | { readonly step: 'abort'; readonly nodes: readonly string[] };

/** `refused`: it lives and said no. `lost`: nothing is known of what it did. */
export interface SwapAnswer {
  readonly node: string;
  readonly kind: 'done' | 'refused' | 'lost';
}

/**
 * How it ended. `refused`: nothing was changed anywhere. `rolled-back`: what was changed is
 * back. `stuck`: a node did not confirm that it is; its journal or the coordinator's does the
 * rest. `stands`: decided, `lost` nodes catch up.
 */
type SwapEnd = 'refused' | 'rolled-back' | 'stuck' | 'swapped' | 'stands';

export interface SwapState {
  /** In the order in which they commit: the MASTER last. */
  readonly order: readonly string[];
  /** Every node was ready, so one was told to commit; before that none has changed what it serves. */
  readonly begun: boolean;
  readonly stage: 'prepare' | 'commit' | 'finish' | 'abort' | 'end';
  /** Nodes that have verified the new one, in order. */
  readonly done: readonly string[];
  /** Nodes that did not answer. */
  readonly lost: readonly string[];
  /** The node whose answer ended it; null while all goes well. */
  readonly broken: string | null;
  readonly end: SwapEnd | null;
}

/** A swap before its first step. */
export const beginSwap = (order: readonly string[]): SwapState => ({
  order,
  begun: false,
  stage: 'prepare',
  done: [],
  lost: [],
  broken: null,
  end: null,
});

/** What is to be asked next; null at the end. */
export function nextOrder(state: SwapState): SwapOrder | null {
  const { order, stage, done } = state;
  switch (stage) {
    case 'prepare':
      return { step: 'prepare', nodes: order };
    case 'commit':
      return { step: 'commit', nodes: order.slice(done.length, done.length + 1) };
    case 'finish':
      return { step: 'finish', nodes: done };
    case 'abort':
      return { step: 'abort', nodes: order };
    case 'end':
      return null;
  }
}

/** The state after the answers to its order. */
export function afterAnswers(state: SwapState, answers: readonly SwapAnswer[]): SwapState {
  const bad = answers.find(({ kind }) => kind !== 'done');
  switch (state.stage) {
    case 'prepare':
      if (bad !== undefined) return { ...state, stage: 'abort', broken: bad.node };
      return { ...state, begun: true, stage: 'commit' };
    case 'commit': {
      if (bad === undefined) {
        const done = [...state.done, ...answers.map(({ node }) => node)];
        return { ...state, done, stage: done.length === state.order.length ? 'finish' : 'commit' };
      }
      // Decided: a node that is lost now does not take the others back.
      if (bad.kind === 'lost' && state.done.length > 0)
        return { ...state, stage: 'finish', broken: bad.node, lost: [bad.node] };
      return { ...state, stage: 'abort', broken: bad.node };
    }
    case 'finish':
      return { ...state, stage: 'end', end: state.lost.length > 0 ? 'stands' : 'swapped' };
    case 'abort': {
      // One that was only asked whether it could puts back what it staged by itself.
      const open = (kind: SwapAnswer['kind']): boolean =>
        kind === 'refused' || (kind === 'lost' && state.begun);
      const stuck = answers.filter(({ kind }) => open(kind)).map(({ node }) => node);
      const end = stuck.length > 0 ? 'stuck' : state.done.length > 0 ? 'rolled-back' : 'refused';
      const lost = answers.filter(({ kind }) => kind !== 'done').map(({ node }) => node);
      return { ...state, stage: 'end', lost, end };
    }
    case 'end':
      return state;
  }
}

/** What an open journal of this node makes of itself, with what the other members say. */
export type SwapResolution =
  | { readonly act: 'abort' | 'complete'; readonly because: string }
  | { readonly act: 'wait'; readonly because: string };

/** After this long without the coordinator's word a swap that is verified here stands. */
export const SWAP_WAIT_MS = 30_000;

export interface OpenSwap {
  readonly phase: SwapPhase;
  readonly coordinator: boolean;
  /** What every other member says; null: it does not answer. */
  readonly others: readonly {
    readonly node: string;
    readonly coordinator: boolean;
    readonly standing: SwapStanding | null;
  }[];
  /** For how long this has been looked at. */
  readonly openMs: number;
}

/**
 * What becomes of a swap that is open here and that nobody carries out any more. The same
 * whenever it is asked; what it says never contradicts what another node was told.
 */
export function resolveSwap({ phase, coordinator, others, openMs }: OpenSwap): SwapResolution {
  const running = others.find(({ standing }) => standing?.running === true);
  if (running !== undefined) return { act: 'wait', because: `${running.node} carries it out` };
  const says = (word: SwapWord) => others.find(({ standing }) => standing?.phase === word);
  if (phase === 'aborting' || phase === 'aborted')
    return { act: 'abort', because: 'it was taken back' };
  const back = others.find(
    (one) =>
      one.coordinator && (one.standing?.phase === 'aborting' || one.standing?.phase === 'aborted'),
  );
  if (back !== undefined) return { act: 'abort', because: `${back.node} took it back` };
  const decided = says('committed') ?? says('finished');
  if (decided !== undefined) return { act: 'complete', because: `${decided.node} has it` };
  if (phase !== 'committed') return { act: 'abort', because: 'no node had verified it' };
  const silent = others.find((one) => one.coordinator && one.standing === null);
  // The coordinator may be about to say that a node refused.
  if (!coordinator && silent !== undefined && openMs < SWAP_WAIT_MS)
    return { act: 'wait', because: `${silent.node}, which carried it out, does not answer` };
  return { act: 'complete', because: 'it was verified here' };
}
