import { runSeed, type RunOptions } from './run.ts';

/** A child of the runner: takes seeds one at a time, answers with what each came to. */
process.on('message', ({ seed, options }: { seed: number; options: RunOptions }) => {
  void runSeed(seed, options).then((result) => process.send?.(result));
});
process.on('disconnect', () => process.exit(0));
