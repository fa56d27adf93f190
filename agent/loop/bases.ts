import type { NodeReport, NodeView } from '../core/model.ts';
import type { LoopOptions } from './ports.ts';
import { learnBases, type Bases, type CarpObservation } from './observe.ts';

/** The base advskew of each address here: on disk before anything is overridden. */
export function baseKeeper({
  node,
  networks,
  durable,
  save,
}: Pick<LoopOptions, 'node' | 'networks' | 'durable' | 'save'>) {
  let { bases } = durable;

  return {
    known: (): Bases => bases,
    /** Takes in what a reading and the peers' memory of this host add. */
    async learn(
      observation: CarpObservation,
      own: NodeReport | null,
      peers: readonly NodeView[],
    ): Promise<void> {
      const remembered = (address: string): number | null =>
        peers
          .flatMap((peer) => peer.report?.knownBases ?? [])
          .find((one) => one.node === node && one.address === address)?.base ?? null;
      const learnt = learnBases(bases, observation, own, networks, remembered);
      if (JSON.stringify(learnt) === JSON.stringify(bases)) return;
      try {
        await save({ bases: learnt });
        bases = learnt;
      } catch {
        // Not on disk, so not known: what has no base is not overridden. save() says why.
      }
    },
  };
}
