import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { hear, hearFaulty, runTimers, setAddresses, setLink, setVhid } from './acts.ts';
import { bootedHost, type HostConfig } from './config.ts';
import { announcements, arpAnswer, arpBytes, type ArpFrame } from './arp.ts';
import { openDataplane, tuneHost } from './dataplane.ts';
import { devdPipe } from './devd.ts';
import { vhidDevices } from './devices.ts';
import type { Host } from './host.ts';
import { ifconfigText } from './ifconfig-text.ts';
import { ifconfig, type ToolRun } from './ifconfig.ts';
import { demotedSkew, find, GROUP4, GROUP6, nextTimerAtMs, type Effect } from './kernel.ts';
import type { Family, Vhid } from './kernel.ts';
import { netstatText, routesText } from './netstat.ts';
import { counters, isAuthentic, openWire, sealed, type Arrival } from './packets.ts';
import { reportSend } from './sends.ts';
import { writeStandIns } from './standins.ts';
import { sysctl, sysctlText } from './sysctl.ts';
import { linkLocal, listenOn, macOf, watchLinks } from './system.ts';
import { advertFrame6 } from './wire.ts';

/**
 * Runs carp(4) of one host on real packets until the process ends: the pure
 * kernel, its timers, the wire, the devices, devd's pipe and the tools' socket.
 */
export async function runHost(config: HostConfig): Promise<void> {
  const { runtime } = config;
  for (const folder of ['text', 'bin']) mkdirSync(join(runtime, folder), { recursive: true });
  const linux = config.interfaces.map(({ name, device }) => [name, device] as const);
  writeStandIns(runtime, Object.fromEntries(linux));
  const [outside] = config.interfaces;
  const routes = routesText(config.gateways ?? [], outside?.name ?? 'lo0');
  writeFileSync(join(runtime, 'text', 'routes'), routes);
  tuneHost(
    config.interfaces.map(({ device }) => device),
    config.holds === true,
  );
  const dataplane = openDataplane();
  const devices = vhidDevices(config, dataplane);
  const wire = await openWire(
    config.interfaces.map(({ device }) => device),
    { onArrival: arrived, onArp: asked, onSent: sent },
  );
  const counter = counters();
  const devd = devdPipe(join(runtime, 'devd.pipe'));
  const written = new Map<string, string>();
  /** Adverts of a new MASTER wait until its device is up. */
  const linked = new Map<string, Promise<void>>();
  let cancelTimer: NodeJS.Timeout | undefined;
  let slowMs = 0;
  let lateMs = 0;
  let mute = false;
  let host = bootedHost(config);

  /** rc.conf: every vhid with its values, then its addresses. */
  function configure(): void {
    for (const { name, vhids } of config.interfaces) {
      for (const { vhid, advbase, advskew, vips } of vhids) {
        const settings = { advbase, advskew, state: 'INIT', peer: GROUP4, peer6: GROUP6 } as const;
        const nowMs = performance.now();
        void commit(setVhid(host.kernel, name, vhid, settings, nowMs));
        const v4 = vips.filter((vip) => isIPv4(vip));
        const v6 = vips.filter((vip) => !isIPv4(vip));
        void commit(setAddresses(host.kernel, name, vhid, { v4, v6 }, nowMs));
      }
    }
  }

  /** Takes a new kernel over and does what it did to the world, in order. Resolves once links follow. */
  function commit(change: { kernel: Host['kernel']; effects: readonly Effect[] }): Promise<void> {
    const before = host.kernel;
    host = { ...host, kernel: change.kernel };
    for (const { id, made } of devices.equip(host.kernel.vhids))
      linked.set(
        id,
        made.then((device) => wire.open(device)),
      );
    publish();
    const waits = change.effects.map((effect) => perform(effect, before.vhids));
    arm();
    if (host.module) keep('netstat', netstatText(host.kernel));
    return Promise.all(waits).then(() => undefined);
  }

  async function perform(effect: Effect, before: readonly Vhid[]): Promise<void> {
    switch (effect.kind) {
      case 'log':
        appendFileSync(join(runtime, 'messages'), `${new Date().toISOString()} ${effect.line}\n`);
        return;
      case 'state': {
        const id = `${effect.vhid}@${effect.interface}`;
        const device = devices.get(id);
        devd.tell(`!system=CARP subsystem=${id} type=${effect.to}`);
        const known =
          find(host.kernel, effect.interface, effect.vhid) ??
          before.find((one) => one.interface === effect.interface && one.vhid === effect.vhid);
        if (device === undefined || known === undefined) return;
        const vips = [...known.vips4, ...known.vips6];
        if (effect.to === 'MASTER') linked.set(id, dataplane.up(device, vips));
        else if (effect.from === 'MASTER') {
          dataplane.down(device, vips);
          if (lateMs > 0) setTimeout(() => advertiseLate(id, known, device.parent), lateMs);
        }
        await linked.get(id);
        return;
      }
      case 'advert': {
        const id = `${effect.vhid}@${effect.interface}`;
        await linked.get(id);
        const vhid = find(host.kernel, effect.interface, effect.vhid);
        if (vhid?.state === 'MASTER') advertise(id, vhid, effect.advbase, effect.advskew);
        return;
      }
      case 'announce': {
        const id = `${effect.vhid}@${effect.interface}`;
        const vhid = find(host.kernel, effect.interface, effect.vhid);
        await linked.get(id);
        const device = devices.get(id)?.parent;
        if (device === undefined || vhid === undefined) return;
        for (const frame of announcements(macOf(device), vhid))
          wire.sendFrame(device, arpBytes(frame));
      }
    }
  }

  function advertise(id: string, vhid: Vhid, advbase: number, advskew: number): void {
    const device = devices.get(id);
    const parent = config.interfaces.find(({ name }) => name === vhid.interface);
    if (device === undefined || parent === undefined) return;
    const vips = [...vhid.vips4, ...vhid.vips6];
    const own = parent.addresses.map((one) => one.split('/')[0] ?? '');
    const sources: readonly (readonly [Family, string | undefined, boolean])[] = [
      [4, own.find((one) => isIPv4(one)), vhid.vips4.length > 0 && vhid.peer === GROUP4],
      [6, linkLocal(parent.device), vhid.vips6.length > 0 && vhid.peer6 === GROUP6],
    ];
    for (const [family, source, used] of sources) {
      if (!used || source === undefined) continue;
      const fields = { vhid: vhid.vhid, advbase, advskew, counter: counter.next(id) };
      wire.send(family, device.name, source, sealed(host.keys[id] ?? '', vips, fields));
    }
  }

  /** The last IPv6 advert of a MASTER that is none any more: a network card had it all the while. */
  function advertiseLate(id: string, vhid: Vhid, device: string): void {
    const source = linkLocal(device);
    if (source === undefined) return;
    const advskew = demotedSkew(host.kernel, vhid.advskew);
    const fields = { vhid: vhid.vhid, advbase: vhid.advbase, advskew, counter: counter.next(id) };
    const vips = [...vhid.vips4, ...vhid.vips6];
    const payload = sealed(host.keys[id] ?? '', vips, fields);
    wire.sendFrame(device, advertFrame6(vhid.vhid, source, payload));
  }

  /** What Linux does not: a BACKUP, and a fenced host, answers who claims its VIP. */
  function asked(device: string, frame: ArpFrame): void {
    const name = config.interfaces.find((one) => one.device === device)?.name;
    const mac = macOf(device);
    const vhids = host.kernel.vhids.filter((one) => one.interface === name);
    const answer = arpAnswer({ mac, own: [], vhids }, frame);
    if (answer?.senderMac === mac) wire.sendFrame(device, arpBytes(answer));
  }

  function arrived({ device, family, advert }: Arrival): void {
    const parent = config.interfaces.find((one) => one.device === device);
    if (parent === undefined) return;
    if (typeof advert === 'string') {
      void commit(hearFaulty(host.kernel, family, advert));
      return;
    }
    const id = `${advert.vhid}@${parent.name}`;
    const vhid = find(host.kernel, parent.name, advert.vhid);
    const vips = vhid === undefined ? [] : [...vhid.vips4, ...vhid.vips6];
    const authentic = vhid !== undefined && isAuthentic(host.keys[id] ?? '', vips, advert);
    if (authentic && host.kernel.allow !== 0) counter.adopt(id, advert.counter);
    const { advbase, advskew } = advert;
    const heard = {
      interface: parent.name,
      vhid: advert.vhid,
      family,
      advbase,
      advskew,
      authentic,
    };
    void commit(hear(host.kernel, heard, performance.now()));
  }

  function sent(device: string, errno: number | null): void {
    for (const [id, { name }] of devices.all()) {
      const one = host.kernel.vhids.find((vhid) => `${vhid.vhid}@${vhid.interface}` === id);
      if (name !== device || one === undefined) continue;
      if (errno === null && one.sendErrors === 0) return;
      void commit(reportSend(host.kernel, one.interface, one.vhid, errno, performance.now()));
    }
  }

  function arm(): void {
    clearTimeout(cancelTimer);
    const dueAtMs = nextTimerAtMs(host.kernel);
    if (dueAtMs === null) return;
    const fire = (): void => void commit(runTimers(host.kernel, performance.now()));
    // setTimeout rounds down; a timer must not fire before its time.
    cancelTimer = setTimeout(fire, Math.max(0, Math.ceil(dueAtMs - performance.now())));
  }

  /** Texts for the stand-ins, written beside and renamed, only when they changed. */
  function publish(): void {
    keep('ifconfig', ifconfigText(host));
    for (const { name } of host.interfaces) keep(`ifconfig.${name}`, ifconfigText(host, name));
    if (host.module) keep('sysctl', sysctlText(host));
  }

  function keep(name: string, text: string): void {
    if (written.get(name) === text) return;
    const path = join(runtime, 'text', name);
    writeFileSync(`${path}.new`, text);
    renameSync(`${path}.new`, path);
    written.set(name, text);
  }

  async function call(args: readonly string[]): Promise<string> {
    const [tool = '', ...rest] = args;
    const run = await runTool(tool, rest);
    return `${run.code} ${Buffer.byteLength(run.stdout)}\n${run.stdout}${run.stderr}`;
  }

  async function runTool(
    tool: string,
    args: readonly string[],
  ): Promise<Pick<ToolRun, 'code' | 'stdout' | 'stderr'>> {
    if (tool === 'lab') return order(args);
    if (slowMs > 0 && tool === 'ifconfig') return slowIfconfig(args);
    const nowMs = performance.now();
    if (mute && tool === 'sysctl' && args.includes('net.inet.carp.demotion=0'))
      return { code: 0, stdout: '', stderr: '' };
    const run = tool === 'sysctl' ? sysctl(host, args, nowMs) : ifconfig(host, args, nowMs);
    host = { ...run.host, kernel: host.kernel };
    await commit({ kernel: run.host.kernel, effects: run.effects });
    return run;
  }

  /** GET, a wait in which the kernel goes on, SET. */
  async function slowIfconfig(args: readonly string[]): Promise<ToolRun> {
    const read = host;
    await new Promise((resolve) => setTimeout(resolve, slowMs));
    const run = ifconfig(read, args, performance.now(), {
      during: () => ({ host, effects: [] }),
    });
    host = { ...run.host, kernel: host.kernel };
    await commit({ kernel: run.host.kernel, effects: run.effects });
    return run;
  }

  /** What only the lab asks: a reboot, a slow ifconfig, a last advert that is late, no advert when it is asked for, devd with so many places or none, the received counters. */
  function order([what = '', value = '']: readonly string[]): Pick<
    ToolRun,
    'code' | 'stdout' | 'stderr'
  > {
    if (what === 'slow') slowMs = Number(value);
    else if (what === 'late') lateMs = Number(value);
    else if (what === 'mute') mute = value === 'on';
    else if (what === 'devd') {
      devd.stop();
      if (value !== 'stop') void devd.start(Number(value));
    } else if (what === 'reboot') {
      for (const { interface: name } of host.kernel.vhids)
        void commit(setLink(host.kernel, name, false, performance.now()));
      host = bootedHost(config);
      configure();
    } else if (what !== 'counters')
      return { code: 2, stdout: '', stderr: `lab: no order ${what}\n` };
    return { code: 0, stdout: `${JSON.stringify(host.kernel.received)}\n`, stderr: '' };
  }

  configure();
  publish();
  watchLinks((device, up) => {
    const parent = config.interfaces.find((one) => one.device === device);
    if (parent === undefined || host.kernel.links[parent.name] === up) return;
    void commit(setLink(host.kernel, parent.name, up, performance.now()));
    devd.tell(`!system=IFNET subsystem=${parent.name} type=LINK_${up ? 'UP' : 'DOWN'}`);
  });
  await devd.start();
  // Only root may set CARP.
  await listenOn(join(runtime, 'carp.sock'), (client) => {
    let request = Buffer.alloc(0);
    client.on('data', (chunk) => {
      request = Buffer.concat([request, chunk]);
      if (request.length < 4 || request.length < 4 + request.readUInt32BE()) return;
      const text = request.subarray(4).toString();
      void call(text.split('\0')).then((reply) => client.end(reply));
    });
  });
}
