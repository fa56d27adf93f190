import { getVhid, setVhid, type Settings } from '../kernel/acts.ts';
import { newKernel, type Kernel } from '../kernel/kernel.ts';
import { INTERFACE } from './interface.ts';
import type { WorldOptions } from './world.ts';

const EMPTY: Settings = {
  advbase: 1,
  advskew: 0,
  state: 'INIT',
  peer: '224.0.0.18',
  peer6: 'ff02::12',
};

/** A kernel after sysctl.conf and rc.conf, its interface not up yet: every vhid INIT at its base. */
export function bootedKernel(options: WorldOptions, at: number, nowMs: number): Kernel {
  const { preempt, vhids, advbase } = options;
  let kernel = newKernel(14, preempt, [INTERFACE]);
  for (const { vhid, advskew } of vhids) {
    const fresh = setVhid(kernel, INTERFACE, vhid, EMPTY, nowMs).kernel;
    const known = getVhid(fresh, INTERFACE, vhid) ?? EMPTY;
    const settings = { ...known, advskew: advskew[at] ?? 0, advbase: advbase?.[at] ?? 1 };
    kernel = setVhid(fresh, INTERFACE, vhid, settings, nowMs).kernel;
  }
  return kernel;
}
