import type { CarpPort } from '../../agent/loop/ports.ts';
import type { Host } from './host.ts';
import { INTERFACE } from './interface.ts';
import type { Process } from './process.ts';

/** exec kills a tool that takes longer, ms. */
const TOOL_MS = 2000;

/** CARP of a host as its agent reaches it: tools that take their time, one call at a time. */
export function carpPort(host: Host, process: Process): CarpPort {
  const { random } = host.world;
  let queue: Promise<unknown> = Promise.resolve();
  const alone = (task: () => Promise<void>): Promise<void> => {
    const next = queue.then(task, task);
    queue = next.catch(() => undefined);
    return next;
  };

  /** Runs a tool; what it reads it reads at some moment before it ends. */
  function tool<T>(act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const ms = random.delay(1, 8) + host.slowMs * random.between(0, 0.7);
      let over = false;
      process.clock.after(TOOL_MS, () => {
        if (over) return;
        over = true;
        reject(new Error('timed out after 2000 ms'));
      });
      if (ms > TOOL_MS) return;
      host.onHost(ms, () => {
        const value = act();
        host.onHost(random.delay(0.1, 1), () =>
          process.deliver(() => {
            over = true;
            resolve(value);
          }),
        );
      });
    });
  }

  const set = (vhid: number, change: Parameters<Host['ifconfig']>[1]): Promise<void> =>
    new Promise((resolve, reject) => {
      let over = false;
      process.clock.after(TOOL_MS, () => {
        if (over) return;
        over = true;
        reject(new Error('ifconfig timed out after 2000 ms'));
      });
      const done = (): void =>
        process.deliver(() => {
          over = true;
          resolve();
        });
      host.ifconfig(vhid, change, done, 'agent', TOOL_MS);
    });

  return {
    async read() {
      // Two tools side by side: what they read is not of one moment.
      const [addresses, values] = await Promise.all([
        tool(() =>
          host.kernel.vhids.map(({ vhid, vips4, vips6, state, advbase, advskew }) => ({
            interface: INTERFACE,
            vhid,
            vips: [...vips4, ...vips6],
            state,
            advbase,
            advskew,
          })),
        ),
        tool(() => {
          const { preempt, demotion, ifdownFactor, allow } = host.kernel;
          return { preempt, demotion, downFactor: ifdownFactor, allow: allow !== 0 };
        }),
      ]);
      const interfaces = [{ interface: INTERFACE, addresses: [`${host.address}/24`] }];
      return { addresses, ...values, interfaces };
    },
    received: () => tool(() => host.kernel.received),
    set: (changes) =>
      alone(async () => {
        const done = await Promise.allSettled(
          changes.map(({ vhid, interface: _name, ...change }) => set(vhid, change)),
        );
        const failed = done.find((one) => one.status === 'rejected');
        if (failed !== undefined) throw failed.reason;
      }),
    advertise: () => alone(() => tool(() => host.sysctl('demotion', 0))),
    allow: (on) =>
      alone(() =>
        tool(() => {
          host.lease(!on);
          host.sysctl('allow', on ? 1 : 0);
        }),
      ),
  };
}
