import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes ifconfig, sysctl, kldstat and netstat into RUNTIME/bin. Reads are answered in
 * sh from files the kernel keeps (no fork, 1.5 ms); everything else goes to
 * the kernel over RUNTIME/carp.sock by perl without modules (4 ms). A file
 * RUNTIME/fault names how the tools misbehave: fail, hang or garbage.
 */
export function writeStandIns(runtime: string): void {
  const bin = join(runtime, 'bin');
  mkdirSync(bin, { recursive: true });
  const write = (name: string, text: string): void =>
    writeFileSync(join(bin, name), text, { mode: 0o755 });
  write('call', call(join(runtime, 'carp.sock')));
  write('ifconfig', ifconfig(runtime));
  write('sysctl', sysctl(runtime));
  write('kldstat', kldstat(runtime));
  write('netstat', netstat(runtime));
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

/** Request: arguments ended by NUL. Reply: "CODE LENGTH\\n", stdout of that length, stderr. */
const call = (socket: string): string => `#!/usr/bin/perl
socket(S,1,1,0) && connect(S,pack('Sa108',1,'${socket}')) or do { print STDERR "$ARGV[0]: no kernel answers\\n"; exit 1 };
$m=join("\\0",@ARGV); syswrite S,pack('N',length $m).$m;
{ local $/; $_=<S>; } /^(\\d+) (\\d+)\\n/ or do { print STDERR "$ARGV[0]: the kernel died\\n"; exit 1 };
print substr($_,length $&,$2); print STDERR substr($_,length($&)+$2); exit $1;
`;
