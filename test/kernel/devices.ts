import type { HostConfig } from './config.ts';
import type { Dataplane, VirtualDevice } from './dataplane.ts';
import type { Vhid } from './kernel.ts';

/** The devices of a host's vhids by VHID@INTERFACE, those of ifconfig(8) as those of rc.conf. */
export function vhidDevices(config: HostConfig, dataplane: Pick<Dataplane, 'create' | 'hold'>) {
  const devices = new Map<string, VirtualDevice>();
  const held = new Set<string>();

  function equip({ interface: name, vhid, vips4, vips6 }: Vhid): [string, VirtualDevice] | null {
    const vips = [...vips4, ...vips6].filter((vip) => !held.has(vip));
    for (const vip of vips) held.add(vip);
    if (vips.length > 0 && config.holds === true) dataplane.hold(vips);
    const id = `${vhid}@${name}`;
    const at = config.interfaces.findIndex((one) => one.name === name);
    const parent = config.interfaces[at]?.device;
    if (vips.length === 0 || devices.has(id) || parent === undefined) return null;
    return [id, { name: `carp${at}v${vhid}`, parent, vhid }];
  }

  return {
    get: (id: string): VirtualDevice | undefined => devices.get(id),
    all: (): ReadonlyMap<string, VirtualDevice> => devices,
    /**
     * Every address is this host's from now on, and a vhid has its device from its first one on:
     * the new devices, each with its name once it is there.
     */
    equip: (vhids: readonly Vhid[]): { readonly id: string; readonly made: Promise<string> }[] =>
      vhids.flatMap((one) => {
        const found = equip(one);
        if (found === null) return [];
        const [id, device] = found;
        devices.set(id, device);
        return [{ id, made: dataplane.create(device).then(() => device.name) }];
      }),
  };
}
