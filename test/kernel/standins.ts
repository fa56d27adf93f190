import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes ifconfig, sysctl, kldstat, netstat, pfctl, ngctl and ndp into RUNTIME/bin; `devices` are
 * Linux's names by FreeBSD's, for ngctl, which sends frames itself. Reads are answered in
 * sh from files the kernel keeps (no fork, 1.5 ms); everything else goes to
 * the kernel over RUNTIME/carp.sock by perl without modules (4 ms). A file
 * RUNTIME/fault names how the tools misbehave: fail, hang or garbage.
 */
export function writeStandIns(
  runtime: string,
  devices: Readonly<Record<string, string>> = {},
): void {
  const bin = join(runtime, 'bin');
  mkdirSync(bin, { recursive: true });
  const write = (name: string, text: string): void =>
    writeFileSync(join(bin, name), text, { mode: 0o755 });
  write('call', call(join(runtime, 'carp.sock')));
  write('ifconfig', ifconfig(runtime));
  write('sysctl', sysctl(runtime));
  write('kldstat', kldstat(runtime));
  write('netstat', netstat(runtime));
  write('pfctl', pfctl(runtime));
  write('ngctl', ngctl(runtime));
  write('ngctl.pl', ngctlFrames(devices));
  write('ndp', ndp(devices));
}

const fault = (runtime: string, tool: string): string => `if [ -e ${runtime}/fault ]; then
  read -r mode < ${runtime}/fault
  case $mode in
  fail) echo '${tool}: socket(family 2,SOCK_DGRAM): Operation not permitted' >&2; exit 1 ;;
  hang) exec sleep 86400 ;;
  esac
fi
`;

const show = `show() { while IFS= read -r line; do printf '%s\\n' "$line"; done < "$1"; }
`;

const ifconfig = (runtime: string): string => `#!/bin/sh
${fault(runtime, 'ifconfig')}${show}case $# in
0) file=${runtime}/text/ifconfig ;;
1) file=${runtime}/text/ifconfig.$1 ;;
*) exec perl ${runtime}/bin/call ifconfig "$@" ;;
esac
if [ ! -e "$file" ]; then echo "ifconfig: interface $1 does not exist" >&2; exit 1; fi
show "$file"
if [ "$mode" = garbage ]; then printf '\\tcarp: STANDBY vhid 1 advbase 1 advskew 0\\n'; fi
`;

const sysctl = (runtime: string): string => `#!/bin/sh
${fault(runtime, 'sysctl')}${show}if [ "$*" = net.inet.carp ] && [ -e ${runtime}/text/sysctl ]; then
  show ${runtime}/text/sysctl
  exit 0
fi
exec perl ${runtime}/bin/call sysctl "$@"
`;

/** kldstat -q -m carp: exit 0 when the module is there. */
const kldstat = (runtime: string): string => `#!/bin/sh
${fault(runtime, 'kldstat')}[ "$*" = '-q -m carp' ] || { echo 'usage: kldstat -q -m carp' >&2; exit 1; }
[ -e ${runtime}/text/sysctl ]
`;

/** netstat -s -p carp: nothing, and exit 0, without the module. netstat -rn: what was written there. */
const netstat = (runtime: string): string => `#!/bin/sh
${fault(runtime, 'netstat')}${show}case "$*" in
'-s -p carp') file=${runtime}/text/netstat ;;
-rn) file=${runtime}/text/routes ;;
*) echo 'usage: netstat -s -p carp | -rn' >&2; exit 1 ;;
esac
if [ -e "$file" ]; then show "$file"; fi
`;

/** pfctl -s info, -sr: the rules in RUNTIME/pf.rules, and -sI -v: no interface is skipped; without that file the host has no pf. */
const pfctl = (runtime: string): string => `#!/bin/sh
${fault(runtime, 'pfctl')}${show}if [ ! -e ${runtime}/pf.rules ]; then
  echo 'pfctl: /dev/pf: No such file or directory' >&2; exit 1
fi
case "$*" in
'-s info') echo 'Status: Enabled for 0 days 00:10:00           Debug: Urgent' ;;
-sr) show ${runtime}/pf.rules ;;
'-sI -v') echo all; ls /sys/class/net ;;
*) echo 'usage: pfctl -s info | -sr | -sI -v' >&2; exit 1 ;;
esac
`;

/** ngctl -f FILE, as far as an agent uses it. RUNTIME/no-netgraph: a jail, or a kernel without ng_ether. */
const ngctl = (runtime: string): string => `#!/bin/sh
if [ -e ${runtime}/no-netgraph ]; then
  echo "ngctl: can't create node: Protocol not supported" >&2; exit 71
fi
exec perl ${runtime}/bin/ngctl.pl "$@"
`;

/** A frame leaves by a packet socket, as by the hook orphans: AF_PACKET, SOCK_RAW; SIOCGIFINDEX. */
const ngctlFrames = (devices: Readonly<Record<string, string>>): string => `#!/usr/bin/perl
use strict; use warnings;
my %devices = (${Object.entries(devices)
  .map(([name, device]) => `'${name}' => '${device}'`)
  .join(', ')});
sub fails { print STDERR "ngctl: $_[0]\\n"; exit 71 }
$ARGV[0] eq '-f' or fails('only -f here');
socket(my $s, 17, 3, 0) or fails("can't create node: $!");
open(my $commands, '<', $ARGV[1]) or fails("$ARGV[1]: $!");
my $to;
while (<$commands>) {
  if (/^connect (\\S+): x orphans$/) {
    my $device = $devices{$1} or fails('send msg: No such file or directory');
    my $request = pack('Z16 x24', $device);
    ioctl($s, 0x8933, $request) or fails("send msg: $!");
    $to = pack('S n i x12', 17, 0x86dd, unpack('x16 i', $request));
  } elsif (/^write x -f (\\S+)$/) {
    open(my $file, '<:raw', $1) or fails("can't read file $1");
    my $frame = do { local $/; <$file> };
    send($s, $frame, 0, $to) or fails("writing to hook x: $!");
  } elsif (!/^rmhook x$/) { fails("unknown command: $_") }
}
`;

/** ndp -an: Linux's neighbours in its words. */
const ndp = (devices: Readonly<Record<string, string>>): string => `#!/bin/sh
[ "$*" = -an ] || { echo 'usage: ndp -an' >&2; exit 1; }
printf '%-36s %-17s %6s %-9s %1s %5s\\n' Neighbor 'Linklayer Address' Netif Expire S Flags
${Object.entries(devices)
  .map(
    ([name, device]) => `ip -6 neigh show dev ${device} | while read -r address lladdr mac rest; do
  [ "$lladdr" = lladdr ] || mac='(incomplete)'
  printf '%-36s %-17s %6s %-9s %s\\n' "$address" "$mac" ${name} 23h59m59s S
done`,
  )
  .join('\n')}
`;

/** Request: arguments ended by NUL. Reply: "CODE LENGTH\\n", stdout of that length, stderr. */
const call = (socket: string): string => `#!/usr/bin/perl
socket(S,1,1,0) && connect(S,pack('Sa108',1,'${socket}')) or do { print STDERR "$ARGV[0]: no kernel answers\\n"; exit 1 };
$m=join("\\0",@ARGV); syswrite S,pack('N',length $m).$m;
{ local $/; $_=<S>; } /^(\\d+) (\\d+)\\n/ or do { print STDERR "$ARGV[0]: the kernel died\\n"; exit 1 };
print substr($_,length $&,$2); print STDERR substr($_,length($&)+$2); exit $1;
`;
