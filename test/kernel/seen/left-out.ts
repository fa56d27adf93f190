/**
 * What of the traces is not replayed, and why. A key that no trace uses fails as one that is
 * missing does.
 */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  'counters since boot':
    'what came before the trace is in them; the counting is in netstat.test.ts',
  'flags of the interface: ifconfig-text.test.ts': 'no state of CARP',
  'an address taken away that was not there': 'clearing up before the trace',
  'routes, ARP tables and sockets of the host': 'the simulator has none of these tables',
  'the order of addresses: ifconfig-text.test.ts': 'here IPv4 first, there as they were added',
  'raw sockets of protocol 112': 'the wire of the lab is Linux’s',
  tcpdump: 'no state of CARP',
  'pf’s own text: test/carp': 'pf is a fixture here',
  'addresses of jails': 'set up before the trace',
  'modes of devctl and devd.pipe': 'devd.pipe has its mode in the lab, devctl is not there',
  'values of the host itself, which carries no vhid': 'a jail’s host has sysctls of its own',
  'a ping': 'the data plane is Linux’s',
  'kern.hz': 'a tick of 1 ms is in lateness.ts',
  'intervals: see the test of them': 'intervals.test.ts',
  'the same frames in short': 'they are in the sniff, whole',
  'values of alloweddeviation': 'lateness.ts',
  'answers to ARP: arp.test.ts': 'replayed there',
  'packets to the physical MAC: the lab’s data plane': 'the data plane is Linux’s',
  'a VLAN: test/carp': 'text of ifconfig; a vhid on a VLAN is a vhid',
  'TCP of connections that were open': 'the data plane is Linux’s',
  'the emulator': 'no word of the host',
  'what reboot prints': 'no state of CARP',
};

/** Traces without a replay. */
export const NOT_REPLAYED: Readonly<Record<string, string>> = {
  e4: 'typed.test.ts',
  e11: 'helper.sh, no kernel: seen.test.ts of privilege',
  e14: 'typed.test.ts',
  e20: 'clients of devd.pipe: devd.test.ts of the kernel',
  'IV.sniff': 'intervals.test.ts',
  'K5.sniff': 'what was typed was not written down',
  'MD.sniff': 'the second takeover of e16, which is replayed from there',
};
