#!/bin/sh
# shellcheck disable=SC2009,SC2012,SC2016
#
# What proxyctl believes about FreeBSD and has not seen on a real host, against
# this host. Reads only: it sets nothing, starts nothing but sleep(1) for a few
# seconds, and asks no network.
# One line a belief: ok, DIFFERS or unknown, then what was believed and seen.
#
#   sh verify-host.sh >verify-$(hostname -s).txt      as root, on both hosts
#
# Look through it before you send it: it shows interface names and addresses of
# vhids, and never a password. docs/freebsd-unverified.md tells what rests on what.

PATH=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin
export PATH LC_ALL=C
unset IFCONFIG_FORMAT

# believe NAME BELIEVED SEEN PATTERN: SEEN must match the extended expression.
believe()
{
	if [ -z "$3" ]; then
		verdict=unknown
	elif printf '%s\n' "$3" | grep -Eq -- "$4"; then
		verdict=ok
	else
		verdict=DIFFERS
	fi
	printf '%-8s %s\n         believed: %s\n' "${verdict}" "$1" "$2"
	printf '%s\n' "${3:-(nothing)}" | cut -c 1-200 | sed '1s/^/         seen:     /; 2,$s/^/                   /'
}

show()
{
	printf '\n== %s\n' "$1"
}

show "host"
believe os "FreeBSD 14.x or 15.x; 13.5 without support" "$(uname -srm)" '^FreeBSD 1[345]\.'
believe root "run as root, or some lines are unknown" "uid $(id -u)" '^uid 0$'

show "CARP"
believe module "kldstat -q -m carp: exit 0 when loaded" \
    "$(kldstat -q -m carp 2>&1; echo "exit $?")" '^exit [01]$'
believe ifconfig-carp "carp: STATE vhid N advbase N advskew N" \
    "$(ifconfig 2>&1 | grep 'carp: ')" '^[[:space:]]+carp: (INIT|BACKUP|MASTER) vhid [0-9]+ advbase [0-9]+ advskew [0-9]+'
believe ifconfig-peer "from 14.0 a second line: peer ADDRESS peer6 ADDRESS" \
    "$(ifconfig 2>&1 | grep '^[[:space:]]*peer ')" '^[[:space:]]+peer [0-9.]+ peer6 [0-9a-f:]+'
believe ifconfig-vip "an address of a vhid ends in: vhid N" \
    "$(ifconfig 2>&1 | grep -E '^[[:space:]]+inet6? .* vhid ')" 'vhid [0-9]+'
for name in allow preempt demotion log ifdown_demotion_factor senderr_demotion_factor; do
	believe "sysctl-${name}" "net.inet.carp.${name}: NUMBER" \
	    "$(sysctl "net.inet.carp.${name}" 2>&1)" "^net\\.inet\\.carp\\.${name}: -?[0-9]+\$"
done
believe netstat "netstat -s -p carp: packets received (IPv4), (IPv6), bad authentication" \
    "$(netstat -s -p carp 2>&1)" 'packets? received \(IPv4\)'
believe netstat-auth "it counts adverts with another password" \
    "$(netstat -s -p carp 2>&1 | grep -i auth)" 'discarded for bad authentication'
believe advskew-254 "an advskew of 254 is accepted: sbin/ifconfig takes 0 to 254" \
    "$(man ifconfig 2>/dev/null | col -b | grep -A4 'advskew' | tr -s ' \n' ' ')" '254'

believe timers "kern.timecounter.alloweddeviation 5: CARP's timers are up to 6.25 % late" \
    "$(sysctl kern.timecounter.alloweddeviation 2>&1)" '^kern\.timecounter\.alloweddeviation: [0-5]$'
believe ndp "ndp -an lists neighbours with their link-layer addresses" \
    "$(ndp -an 2>&1 | head -n 1)" '^Neighbor +Linklayer Address'

show "devd"
believe devd-pipe "/var/run/devd.pipe is a stream socket of mode 666" \
    "$(stat -f '%Sp %Su:%Sg' /var/run/devd.pipe 2>&1)" '^srw-rw-rw- root:wheel$'
believe devd-flags "at most 10 clients unless -l says otherwise" "$(ps -axo command= | grep '[/]devd')" 'devd'

believe devd-clients "fewer than ten clients, its listening socket beside them: the eleventh hears nothing" \
    "$(sockstat -u 2>/dev/null | grep -c 'devd .*devd\.pipe$')" '^([1-9]|10)$'

show "pf"
believe pf-text "pass ... proto carp ... in pfctl -sr" "$(pfctl -sr 2>/dev/null | grep -E 'proto carp|proto 112')" 'proto (carp|112)'
believe pf-info "pfctl -s info: Status: Enabled or Disabled; names /dev/pf where there is no pf" \
    "$(pfctl -s info 2>&1 | head -1)" '^(Status: (Enabled|Disabled)|pfctl: /dev/pf: No such file)'
believe protocols "carp is protocol 112" "$(grep -E '^carp' /etc/protocols)" '^carp[[:space:]]+112'

show "rc and daemon(8)"
believe rc-shutdown "rc.shutdown sets rc_shutdown in the shell that reads the scripts" \
    "$(grep -n '^rc_shutdown=' /etc/rc.shutdown)" 'rc_shutdown=\$\{1:-'
believe rc-faststop "and says faststop to them, in reverse order" "$(grep -n 'faststop$' /etc/rc.shutdown)" 'run_rc_script .* faststop'
believe rc-subshell "in a subshell, not a new shell" "$(grep -n 'set \$_arg; \. \$_file' /etc/rc.subr)" '\. \$_file'
believe rc-pidfile "check_pidfile takes the title NAME: of setproctitle(3)" \
    "$(grep -n '_procnamebn}:' /etc/rc.subr)" '_procnamebn'
believe rc-watchdog "rcshutdown_timeout is more than our ten seconds" \
    "$(grep -n '^rcshutdown_timeout' /etc/defaults/rc.conf)" '"[0-9]{2,}"'
for flag in -c -f -S -T -t -R -P -p; do
	believe "daemon${flag}" "daemon(8) has ${flag}" \
	    "$(man daemon 2>/dev/null | col -b | grep -E -- "(^|[^-])${flag}[ ,]" | head -n 1)" '.'
done
believe daemon-title "the supervisor is shown as: daemon: TITLE[PID]" \
    "$(ps -axo command= | grep '^daemon: ' | head -n 3)" '^daemon: .*\[[0-9]+\]'
believe rcorder "proxyagent after haproxy, so stopped before it" \
    "$(rcorder -k shutdown /etc/rc.d/* /usr/local/etc/rc.d/* 2>/dev/null | grep -E '/(haproxy|proxyagent)$' | tr '\n' ' ')" 'haproxy .*proxyagent'
believe rcorder-words "rcorder knows NETWORKING and devd" \
    "$(rcorder /etc/rc.d/* 2>/dev/null | grep -E '/(NETWORKING|devd)$' | tr '\n' ' ')" 'devd.*NETWORKING|NETWORKING.*devd'
believe limits-rc "rc.subr starts a program through limits(1) with NAME_limits" \
    "$(grep -n 'limits -C' /etc/rc.subr | head -n 1)" 'limits -C .*_limits'
believe limits-last "of two -c of limits(1) the later one is in force" \
    "$(limits -C daemon -c 0 -c unlimited sh -c 'ulimit -c' 2>&1)" '^unlimited$'
believe limits-agent "the agent may leave no core file" \
    "$(procstat rlimit "$(cat /var/run/proxyagent.child.pid 2>/dev/null)" 2>&1 | grep -i core)" 'core.* 0 B'
believe sleep-tenths "sleep(1) takes tenths" "$(sleep 0.1 2>&1; echo "exit $?")" '^exit 0$'
believe service-status "NAME is running as pid N." "$(service proxyagent status 2>&1 | head -n 2)" 'is running as pid [0-9]+\.|is not running'

show "HAProxy"
believe haproxy-rc "the port's script: PROVIDE haproxy, KEYWORD shutdown" \
    "$(grep -E '^# (PROVIDE|REQUIRE|KEYWORD):' /usr/local/etc/rc.d/haproxy 2>&1 | tr '\n' ' ')" 'PROVIDE: haproxy .*KEYWORD: .*shutdown'
believe haproxy-reload "reload starts another with -sf" "$(grep -n -- '-sf' /usr/local/etc/rc.d/haproxy 2>&1)" '-sf'
believe haproxy-config "its configuration is /usr/local/etc/haproxy.conf" \
    "$(grep -n 'haproxy_config' /usr/local/etc/rc.d/haproxy 2>&1 | head -n 2)" 'etc/haproxy\.conf'
believe haproxy-version "2.6 or later" "$(haproxy -v 2>&1 | head -n 1)" 'version (2\.[6-9]|[3-9]\.)'

show "packages and logs"
believe node "/usr/local/bin/node, 20.19 or later" "$(/usr/local/bin/node --version 2>&1)" '^v(20\.(19|[2-9][0-9])|2[1-9]|[3-9][0-9])'
believe newsyslog "newsyslog reads /usr/local/etc/newsyslog.conf.d" \
    "$(grep -n 'include' /etc/newsyslog.conf)" '/usr/local/etc/newsyslog\.conf\.d'
believe periodic "periodic(8) runs /usr/local/etc/periodic/daily" \
    "$(grep -n '^local_periodic' /etc/defaults/periodic.conf)" '/usr/local/etc/periodic'
believe ping "ping -c 1 -t SECONDS for IPv4, ping6 or ping -6 for IPv6" "$(ls /sbin/ping /sbin/ping6 2>/dev/null | tr '\n' ' ')" 'ping'

show "what the privileged helper uses"
believe read-line "read of sh takes one line from a pipe and leaves the rest" \
    "$(printf 'a\nb\n' | { read -r _; cat; })" '^b$'
believe head-bytes "head -c 3 prints three bytes; what is behind them may be gone" \
    "$(printf abcdef | head -c 3)" '^abc$'
believe timeout-reaps "timeout(1) ends what its command left running: a daemon must not be started below it" \
    "$(pid=$(timeout 1 sh -c 'sleep 3 >/dev/null 2>&1 & echo $!'); kill -0 "${pid}" 2>/dev/null && echo left || echo ended)" '^ended$'
believe wait-trap "wait of sh ends when a signal comes that it has a trap for" \
    "$(sh -c 'trap : ALRM; sleep 3 >/dev/null 2>&1 & p=$!; (sleep 1; kill -ALRM $$) & wait "$p"; echo "exit $?"; kill "$p"')" '^exit 142$'
believe read-trap "read of sh ends then too, and the next one reads on" \
    "$({ sleep 2; echo line; } | sh -c 'heard=; trap "heard=x" TERM; (sleep 1; kill -TERM $$) & read -r l || [ -n "$heard" ] && read -r l; echo "$heard $l"')" '^x line$'
believe od-hex "od -An -v -tx1 prints bytes as hexadecimal" "$(printf 'A\n' | od -An -v -tx1)" '^ *41 +0a'
believe id-user "id -u NAME prints the number" "$(id -u root 2>&1)" '^0$'
believe realpath "realpath(1) is there" "$(realpath / 2>&1)" '^/$'
believe fsync "fsync(1) makes a file durable" "$(ls -l /usr/bin/fsync 2>&1)" '^-r.x.* /usr/bin/fsync$'
believe find-perm "find -prune -user 0 ! -perm -002 finds root's own directory" \
    "$(find / -prune -user 0 ! -perm -020 ! -perm -002 2>&1)" '^/$'

show "packages: how they are taken"
believe pw-root "pw(8) takes -R ROOT" "$(man pw 2>/dev/null | col -b | grep -E -- '-R rootdir' | head -n 1)" '-R'
believe pkg-abi "pkg's ABI is FreeBSD:MAJOR:ARCH" "$(pkg -N >/dev/null 2>&1 && pkg config ABI 2>&1)" '^FreeBSD:[0-9]+:'
believe vrrp "from 15.0 a VRRPv3 vhid shows vrrpprio" "$(ifconfig 2>&1 | grep vrrpprio)" 'vrrpprio [0-9]+'
