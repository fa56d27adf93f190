import { MORE_DESCRIPTORS, noDescriptor } from '../core/descriptors.ts';
import { sentence } from '../core/words.ts';
import type { Problems } from '../problems.ts';
import type { Store } from './state.ts';
import type { Clock } from '../sys/clock.ts';

/** What a disk refused is tried again this often, ms. */
const RETRY_MS = 5000;

/**
 * Saving with its problem on show: durable when it resolves. A disk that
 * refuses is shown and tried again until it takes everything that was asked
 * meanwhile: what is in force in memory must not be lost by a restart for good.
 */
export function saving(options: {
  readonly store: Pick<Store, 'save'>;
  readonly problems: Pick<Problems, 'raise' | 'clear'>;
  readonly clock: Clock;
  /** What the operator should do about it. */
  readonly remedy: string;
}): Store['save'] {
  const { store, problems, clock, remedy } = options;
  let cancel = (): void => {};

  return async function save(change) {
    cancel();
    try {
      await store.save(change);
      problems.clear('state');
    } catch (error) {
      const none = noDescriptor(error);
      const cause = `the state cannot be written: ${none ?? sentence(error)}`;
      problems.raise('state', cause, none === null ? remedy : MORE_DESCRIPTORS);
      cancel();
      cancel = clock.after(RETRY_MS, () => void save({}).catch(() => undefined));
      throw error;
    }
  };
}
