import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { CarpTools } from '../../agent/carp/carp.ts';

export const IFCONFIG = `vtnet0: flags=8943<UP,BROADCAST> metric 0 mtu 1500
	inet 10.1.60.200 netmask 0xffffffff broadcast 10.1.60.200 vhid 1
	inet6 fd5e::200 prefixlen 128 vhid 1
	carp: MASTER vhid 1 advbase 1 advskew 0
	      peer 224.0.0.18 peer6 ff02::12
	carp: BACKUP vhid 2 advbase 1 advskew 100
	      peer 10.1.60.202 peer6 fd5e::202
	carp: BACKUP vhid 3 advbase 1 advskew 100
	      peer 224.0.0.18 peer6 fd5e::202
`;

export const SYSCTL = `net.inet.carp.ifdown_demotion_factor: 240
net.inet.carp.senderr_demotion_factor: 240
net.inet.carp.demotion: 0
net.inet.carp.log: 1
net.inet.carp.preempt: 0
net.inet.carp.dscp: 56
net.inet.carp.allow: 1
`;

// After carp_stats() of usr.bin/netstat/inet.c.
const NETSTAT = `carp:
	61 packets received (IPv4)
	1 packet received (IPv6)
		0 packets discarded for wrong TTL
		0 packets shorter than header
		0 discarded for bad checksums
		0 discarded packets with a bad version
		0 discarded because packet too short
		7 discarded for bad authentication
		0 discarded for bad vhid
		0 discarded because of a bad address list
	122 packets sent (IPv4)
	122 packets sent (IPv6)
		0 send failed due to mbuf memory error
`;

export const prints = (text: string): string => `cat <<'EOF'\n${text}EOF`;

/** Shell words that end once `count` programs have come to them: side by side, or never. */
export const meeting = (folder: string, count: number): string =>
  `: > ${folder}/here.$$; until [ $(ls ${folder} | grep -c '^here[.]') -ge ${count} ]; do sleep 0.01; done`;

/** Real programs in place of FreeBSD's: shell scripts that note how they are called, then do `bodies`. */
export function scriptedTools(
  t: ExecutionContext,
  bodies: Partial<Record<keyof CarpTools, string>>,
) {
  const folder = mkdtempSync(join(tmpdir(), 'proxyctl-carp-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const log = join(folder, 'calls');
  writeFileSync(log, '');
  const write = (name: keyof CarpTools, body: string): string => {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\necho "${name} $*" >> ${log}\n${body}\n`);
    chmodSync(path, 0o755);
    return path;
  };
  const tools: CarpTools = {
    ifconfig: write('ifconfig', bodies.ifconfig ?? prints(IFCONFIG)),
    sysctl: write('sysctl', bodies.sysctl ?? prints(SYSCTL)),
    kldstat: write('kldstat', bodies.kldstat ?? 'exit 0'),
    netstat: write('netstat', bodies.netstat ?? prints(NETSTAT)),
    ngctl: write('ngctl', bodies.ngctl ?? 'exit 0'),
  };
  return {
    folder,
    tools,
    /** Every call since the last time this was asked. */
    calls: (): string[] => {
      const lines = readFileSync(log, 'utf8').split('\n').slice(0, -1);
      writeFileSync(log, '');
      return lines;
    },
    write,
  };
}
