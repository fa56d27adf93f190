import type { NetworkConfig } from '../config/config.ts';
import { LOWERED_ADVSKEW, type NodeReport, type NodeView } from '../core/model.ts';
import type { LoopOptions } from './ports.ts';
import { networkOf, type Bases, type CarpObservation } from './observe.ts';

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

/**
 * The base advskew of every address after this reading. Learnt when unknown
 * and not 254 (which is reserved and proves nothing); an administrator's change
 * counts while nothing is overridden; agent.toml wins over both. A host whose
 * disk is empty and whose kernel says 254 takes what a peer `remembered`.
 */
export function learnBases(
  bases: Bases,
  carp: CarpObservation,
  previous: NodeReport | null,
  networks: readonly NetworkConfig[] | null,
  remembered: (address: string) => number | null = () => null,
): Bases {
  const learnt: Record<string, number> = { ...bases };
  for (const reading of carp.addresses) {
    const network = networkOf(reading, networks);
    if (network === null) continue;
    const address = `${reading.vhid}@${network.name}`;
    const before = previous?.addresses.find((known) => known.address === address);
    const known = learnt[address];
    const overridden = before !== undefined && before.advskew !== before.baseAdvskew;
    if (network.baseAdvskew !== null) learnt[address] = network.baseAdvskew;
    else if (reading.advskew === LOWERED_ADVSKEW) {
      const peers = known === undefined ? remembered(address) : null;
      if (peers !== null) learnt[address] = peers;
    } else if (known === undefined || !overridden) learnt[address] = reading.advskew;
  }
  return learnt;
}
