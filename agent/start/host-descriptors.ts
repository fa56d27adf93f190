import { MORE_DESCRIPTORS } from '../core/descriptors.ts';
import type { Problems } from '../problems.ts';
import type { RunningServer } from '../rpc/server.ts';
import type { Clock } from '../sys/clock.ts';
import { descriptorReserve, execFromReserve, type Descriptors } from '../sys/descriptors.ts';
import { execWithin, type Exec } from '../sys/exec.ts';

/** A hanging ifconfig(8) is killed after this long. */
const TOOL_MS = 2000;
/** So many connections that can be spared go when descriptors are wanted. */
const SHED = 32;

/** This process's reserve of descriptors, to be made before anything else is opened. */
export function hostDescriptors(
  clock: Clock,
  problems: Problems,
): {
  readonly descriptors: Descriptors;
  /** Programs of the host, with the reserve. */
  readonly exec: Exec;
  /** Who gives connections up from now on. */
  readonly shedBy: (shed: RunningServer['shed']) => void;
} {
  let shed: RunningServer['shed'] = () => 0;
  const descriptors = descriptorReserve({
    clock,
    shed: () => shed(SHED),
    onShort: (cause) => problems.raise('descriptors', cause, MORE_DESCRIPTORS),
    onEnough: () => problems.clear('descriptors'),
  });
  return {
    descriptors,
    exec: execFromReserve(execWithin(TOOL_MS), descriptors),
    shedBy: (next) => void (shed = next),
  };
}
