#!/bin/sh
# The privileged half of proxyagent: the few acts that need root, and nothing
# else. The agent starts it as root, then gives up root itself, and asks over
# standard input, one request a line; root's answers go to standard output.
#
#   helper.sh IFCONFIG SYSCTL PFCTL DIRECTORIES CHECK RELOAD NGCTL LISTS NAMED [DEPLOY]
#
# All of them come from agent.toml and haproxy.conf as root read them; lists have
# one word a line. DIRECTORIES, one that ends in /. without what is below it, is
# where certificates are. LISTS are the crt-lists, NAMED the certificates and keys
# whose names do not end as such. DEPLOY, where root allows configurations to be
# deployed: haproxy.conf, the names of node and pair, the CA, and the directory for
# what was deployed.
#
# Whoever asks may be hostile: the agent's user, taken over by somebody. So no file
# is touched, nor read, that is not a certificate, a key or a crt-list, nor one
# with a second name, nor where anybody but root could change what leads to it.
#
#   SEQ ACT...                   done in order, or none of them is begun:
#       advskew IF VHID 0..254   vrrpprio IF VHID 1..255
#       state IF VHID master|backup          allow 0|1         advertise
#   SEQ cert-read PATH           SEQ cert-write PATH BYTES     (bytes follow)
#   SEQ cert-try PATH BYTES      as cert-write, and the file stays as it was
#   SEQ cert-remove PATH         done twice it changes nothing
#   SEQ check    SEQ reload      SEQ pf-info    SEQ pf-rules    SEQ rc-lines
#   SEQ pf-interfaces            SEQ processes   HAProxy's: PID PPID JAIL COMMAND
#   SEQ tell IF VHID...          IPv6 neighbours are told where MASTER vhids are;
#                                without VHID: whether they could be
#   SEQ will PID IF VHID...      where to step out when PID, HAProxy's, dies with
#                                the system: see last_will
#   SEQ deploy-...               signed configurations: see deploy.sh
#
# Answer: lines of output, each after a space, then one of
#   SEQ ok    SEQ refused WHY (nothing was begun)    SEQ failed WHAT
# The first line it prints is "0 ok".
#
# allow 0 is a lease: 3 s after the last one, and at once when standard input
# ends, the host sets net.inet.carp.allow back to 1.

set -fu
umask 077
PATH=/sbin:/bin:/usr/sbin:/usr/bin
LC_ALL=C
export PATH LC_ALL
# Either would change what is read, or what is run.
unset IFCONFIG_FORMAT ENV BASH_ENV CDPATH TMPDIR
cd / || exit 1
# An agent that dies before it has its answer must not end what lifts its fence.
# A handler, unlike '', is not passed on to tools.
trap : PIPE

NL='
'
TAB=$(printf '\t')
ifconfig=$1 sysctl=$2 pfctl=$3 directories=$4 check=$5 reload=$6 ngctl=${7-/usr/sbin/ngctl}
lists=${8-} named=${9-} deploy=${10-}
# How long a command of agent.toml is waited for, in seconds.
patience=30
trap : ALRM
keeper=''
will=''
netgraph=''
why=''

refuse() { why="refused $1"; return 1; }
fail() { why="failed $1"; return 1; }

# Runs a tool to its end, 2 s at most; what it printed is in $said.
run() {
	said=$(bounded "$@" 2>&1 </dev/null) && return 0
	code=$?
	[ "$code" -ne 137 ] || said='no answer within 2 s'
	fail "$*: exit $code: ${said%%"$NL"*}"
}

# A tool that hangs must not take the helper with it. Not timeout(1): FreeBSD's
# kills also what the tool left running, and now and then it misses the end of a
# tool that ends at once.
bounded() {
	"$@" &
	tool=$!
	(sleep 2 && kill -KILL "$tool") >/dev/null 2>&1 &
	dog=$!
	wait "$tool"
	code=$?
	put_down "$dog"
	return "$code"
}

put_down() { { kill -KILL "$1" && wait "$1"; } 2>/dev/null || :; }

between() { # NUMBER LOW HIGH
	case $1 in '' | *[!0-9]* | 0?* | ????*) return 1 ;; esac
	[ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}

# Whether ifconfig says that IF carries VHID: $kind, its state $now, and the
# words that repeat unicast peers (14.0 forgets them at every set). A vhid that
# is not there would be created by a set.
look() { # IF VHID
	if [ "$1" != "$looked" ]; then
		looked=''
		run "$ifconfig" "$1" || return 1
		text=$said$NL
		looked=$1
	fi
	kind='' peers=''
	for state in INIT BACKUP MASTER; do
		case $text in
		*"$NL${TAB}carp: $state vhid $2 advbase "*)
			kind=carp now=$state
			rest=${text#*"$NL${TAB}carp: $state vhid $2 advbase "}
			;;
		*"$NL${TAB}vrrp: $state vrid $2 prio "*) kind=vrrp now=$state rest='' ;;
		esac
	done
	[ -n "$kind" ] || refuse "$1 does not carry vhid $2" || return 1
	rest=${rest#*"$NL"}
	repeat "${rest%%"$NL"*}"
}

repeat() { # LINE after a carp line
	case $1 in
	*[!A-Za-z0-9.:%_\ "$TAB"-]*) return 0 ;;
	"$TAB"*peer\ *\ peer6\ *) ;;
	*) return 0 ;;
	esac
	# shellcheck disable=SC2086 # four words
	set -- ${1#"$TAB"}
	[ "$2" = 224.0.0.18 ] || peers=" peer $2"
	[ "$4" = ff02::12 ] || peers="$peers peer6 $4"
}

# Checks every act and writes the commands to $plan, one a line.
plan() {
	plan='' looked='' on='' words=''
	[ $# -gt 0 ] || refuse 'no verb' || return 1
	while [ $# -gt 0 ]; do
		case $1 in
		advskew | vrrpprio | state)
			[ $# -ge 4 ] || refuse "$1 needs IF VHID VALUE" || return 1
			vhid_act "$1" "$2" "$3" "$4" || return 1
			shift 4
			;;
		allow)
			case ${2-} in 0 | 1) ;; *) refuse 'allow needs 0 or 1' || return 1 ;; esac
			plan="$plan$words${NL}allow $2" words='' on=''
			shift 2
			;;
		advertise)
			plan="$plan$words${NL}advertise" words='' on=''
			shift
			;;
		*) refuse "no such verb: $1" || return 1 ;;
		esac
	done
	plan=$plan$words
}

named() { # IF VHID
	case $1 in [!A-Za-z]* | *[!A-Za-z0-9._-]* | ????????????????*)
		refuse "no interface name: $1" || return 1 ;;
	esac
	between "$2" 1 255 || refuse "no vhid: $2"
}

# What is asked of one vhid in a row becomes one command: the kernel stores
# advskew before it acts on state, and both are one act. Asked again later it
# waits for what was asked before.
vhid_act() { # VERB IF VHID VALUE
	named "$2" "$3" && look "$2" "$3" || return 1
	case $1 in
	advskew) between "$4" 0 254 && [ "$kind" = carp ] ;;
	vrrpprio) between "$4" 1 255 && [ "$kind" = vrrp ] ;;
	state) [ "$4" = master ] || [ "$4" = backup ] ;;
	esac || refuse "$1 $4 does not fit the $kind vhid $3" || return 1
	if [ "$on" = "$2 $3" ]; then
		words="$words $1 $4"
	else
		case $plan$words in
		*"${NL}set $2 vhid $3 "*) words=$words${NL}end ;;
		esac
		on="$2 $3" plan=$plan$words words="${NL}set $2 vhid $3$peers $1 $4"
	fi
}

acts() {
	plan "$@" || return 1
	sets=''
	IFS=$NL
	for step in $plan end; do
		IFS=' '
		case $step in 'set '*) sets=$sets$NL${step#set } && continue ;; esac
		set_vhids || return 1
		case $step in
		advertise) run "$sysctl" net.inet.carp.demotion=0 ;;
		'allow 0') fence ;;
		'allow 1') unfence ;;
		esac || return 1
	done
}

# The commands in $sets, all at once: a move of many addresses is as long as that
# of one. What the first that failed said is in $why; the others are done.
set_vhids() {
	[ -n "$sets" ] || return 0
	said=$(side_by_side 2>&1 </dev/null) && sets='' && return 0
	what=${said##*"$NL"} said=${said%%"$NL"*}
	case $what in *': exit 137') said='no answer within 2 s' ;; esac
	fail "$ifconfig $what: $said"
}

# Each is a process of its own: ifconfig keeps one vhid, the last that it was
# given (setcarp_vhid(), FreeBSD sbin/ifconfig/carp.c). They do not disturb each
# other, since each reads and writes back its own. One watches them all.
side_by_side() {
	tools='' first=''
	IFS=$NL
	for words in $sets; do
		IFS=' '
		# shellcheck disable=SC2086 # checked words
		"$ifconfig" $words &
		tools="$tools $!"
	done
	# shellcheck disable=SC2086 # pids
	(sleep 2 && kill -KILL $tools) >/dev/null 2>&1 &
	dog=$!
	IFS=$NL
	for words in $sets; do
		IFS=' '
		tools=${tools# }
		wait "${tools%% *}"
		code=$?
		tools=${tools#* }
		[ "$code" -eq 0 ] || first=${first:-"$words: exit $code"}
	done
	put_down "$dog"
	[ -z "$first" ] || { printf '\n%s\n' "$first" && return 1; }
}

# The new keeper is there before the old one goes: somebody always lifts the
# fence, also when this process is killed. exec: once a keeper is dead, nothing
# of it can still set allow=1.
fence() {
	(sleep 3 && exec "$sysctl" net.inet.carp.allow=1) >/dev/null 2>&1 </dev/null &
	new=$!
	dismiss
	keeper=$new
	run "$sysctl" net.inet.carp.allow=0
}

unfence() {
	run "$sysctl" net.inet.carp.allow=1 || return 1
	dismiss
}

dismiss() {
	[ -z "$keeper" ] || put_down "$keeper"
	keeper=''
}

# At a takeover the kernel sends no neighbour advertisement, and a neighbour that
# learnt the physical MAC of the old host goes on to it. So this does, as frames
# through ng_ether(4)'s hook that leaves all other traffic alone. What goes into
# them is what ifconfig says.
tell() { # IF VHID...
	on=$1 vhids=' ' looked='' text=''
	shift
	named "$on" 1 || return 1
	for vhid; do
		named "$on" "$vhid" && look "$on" "$vhid" || return 1
		[ "$now" != MASTER ] || vhids="$vhids$vhid "
	done
	frames=$(printf '%s' "$text" | awk -v vhids="$vhids" "$ADVERTISEMENTS") ||
		fail "$on has no link-local address to tell neighbours from" || return 1
	netgraph
	spool=$(mktemp -d /tmp/proxyagent.XXXXXXXX) || fail 'no room in /tmp' || return 1
	# The same words each time, without the directory.
	{ give_frames || fail 'no room in /tmp'; } && {
		run "$ngctl" -f "$spool/commands" || fail "$ngctl: ${said%%"$NL"*}"
	}
	code=$?
	rm -rf "$spool"
	return "$code"
}

# The node is called as its interface, but for what would be a path in its name.
give_frames() {
	number=0
	echo "connect $(printf %s "$on" | tr .: __): x orphans"
	IFS=$NL
	for frame in $frames; do
		number=$((number + 1))
		# shellcheck disable=SC2059 # octal numbers
		printf "$frame" >"$spool/$number"
		echo "write x -f $spool/$number"
	done
	IFS=' '
	echo 'rmhook x'
} >"$spool/commands"

# Where it cannot be loaded, as in a jail, ngctl says what is missing.
netgraph() {
	[ -n "$netgraph" ] || bounded kldload -n ng_ether ng_socket >/dev/null 2>&1 </dev/null || :
	netgraph=x
}

# Unsolicited neighbour advertisements (RFC 4861, 4.4 and 7.2.6) for the IPv6
# addresses of VHIDS in ifconfig's text, a line each, as octal escapes: from the
# interface's link-local address to all nodes, the virtual MAC in the option and,
# so that switches learn too, as the frame's source.
# shellcheck disable=SC2016 # awk's, not sh's
ADVERTISEMENTS='
function number(digits, at, sum) {
	sum = 0
	for (at = 1; at <= length(digits); at++)
		sum = sum * 16 + index("0123456789abcdef", tolower(substr(digits, at, 1))) - 1
	return sum
}
function groups(address, to, sides, left, right, before, behind, at) {
	split(address, sides, "::")
	before = split(sides[1], left, ":")
	behind = split(sides[2], right, ":")
	for (at = 1; at <= 8; at++)
		to[at] = number(at <= before ? left[at] : at > 8 - behind ? right[at - 8 + behind] : "0")
}
function add(word) {
	frame = frame sprintf("\\%03o\\%03o", int(word / 256), word % 256)
	sum += word
}
function words(list, count, all, at) {
	count = split(list, all, " ")
	for (at = 1; at <= count; at++) add(number(all[at]))
}
function ipv6(group, at) { for (at = 1; at <= 8; at++) add(group[at]) }
function advertisement(vhid, target) {
	frame = ""
	words("3333 0000 0001 0000 5e00"); add(256 + vhid)
	words("86dd 6000 0000 0020 3aff")
	head = frame; frame = ""; sum = 32 + 58
	ipv6(own); words("ff02 0 0 0 0 0 0 1")
	head = head frame; frame = ""
	words("2000 0"); ipv6(target); words("0201 0000 5e00"); add(256 + vhid)
	rest = frame; frame = ""; add(34816)
	while (sum > 65535) sum = sum % 65536 + int(sum / 65536)
	add(65535 - sum)
	return head frame rest
}
$1 == "inet6" {
	address = $2
	sub(/[%\/].*/, "", address)
	vhid = $0
	if (address ~ /[.]/) next
	if (sub(/.* vhid /, "", vhid)) {
		sub(/ .*/, "", vhid)
		if (index(vhids, " " vhid " ")) { vip[++count] = address; of[count] = vhid }
	} else if (address ~ /^fe80:/ && $0 !~ / (tentative|duplicated|detached)/ && !found) {
		groups(address, own)
		found = 1
	}
}
END {
	if (count && !found) exit 1
	for (at = 1; at <= count; at++) { groups(vip[at], target); print advertisement(of[at], target) }
}'

remember() { # PID, then IF VHID each
	case ${1-} in
	'' | 0* | *[!0-9]* | ????????*) false ;;
	*) [ $(($# % 2)) -eq 1 ] ;;
	esac || refuse 'will needs PID, then IF VHID each' || return 1
	will=$*
}

# reboot(8) and halt(8) tell every process to end, this one too, and the kernel
# stays MASTER for ten seconds while nobody serves. Nobody else sends SIGTERM here.
# The agent has a second to hand over, which is faster; after that, or without
# it, what is still MASTER steps out, once HAProxy is dead. While it lives nothing
# is done: somebody has ended the helper by hand.
last_will() {
	trap '' TERM
	# By exec: a redirection of the call would keep the agent's pipe open beside it.
	exec >/dev/null 2>&1 </dev/null
	IFS=' '
	# shellcheck disable=SC2086 # words of one line
	set -- $will
	[ $# -gt 0 ] || return 0
	haproxy=$1 tenths=0
	shift
	while kill -0 "$haproxy" || { [ "$tenths" -lt 10 ] && kill -0 "$PPID"; }; do
		[ "$tenths" -lt 40 ] || return 0
		sleep 0.1
		tenths=$((tenths + 1))
	done
	looked='' all=''
	while [ $# -gt 0 ]; do
		if look "$1" "$2" && [ "$now" = MASTER ]; then
			case $kind in
			carp) all="$all advskew $1 $2 254 state $1 $2 backup" ;;
			vrrp) all="$all vrrpprio $1 $2 1 state $1 $2 backup" ;;
			esac
		fi
		shift 2
	done
	# Side by side: the kernel of the other host begins to wait for all of them at once.
	# shellcheck disable=SC2086 # words of one line
	[ -z "$all" ] || acts $all
}

# The file behind PATH, if it is one of ours: $target, in $folder.
place() { # PATH
	case $1 in
	*/../* | */./* | *//* | */.. | */. | */) refuse "not a plain path: $1" || return 1 ;;
	/*) ;;
	*) refuse "not an absolute path: $1" || return 1 ;;
	esac
	if [ -e "$1" ] || [ -L "$1" ]; then
		target=$(realpath "$1" 2>/dev/null) && [ -f "$target" ] ||
			refuse "no regular file: $1" || return 1
	else
		folder=$(realpath "${1%/*}/" 2>/dev/null) || refuse "no such directory: ${1%/*}" || return 1
		target=$folder/${1##*/}
	fi
	folder=${target%/*}
	IFS=$NL
	for allowed in $directories; do
		IFS=' '
		case $allowed in */.) below='' ;; *) below=x ;; esac
		allowed=$(realpath "$allowed" 2>/dev/null) || continue
		[ -n "$below" ] || [ "$folder" = "$allowed" ] || continue
		case $target in "${allowed:-nowhere}"/*) return 0 ;; esac
	done
	IFS=' '
	refuse "outside the directories named in agent.toml: $1"
}

cert_read() { # PATH
	place "$1" && known "$1" || return 1
	[ -f "$target" ] || fail "no such file: $1" || return 1
	safe && ours || return 1
	# As numbers: a file may end without a newline.
	od -An -v -tx1 "$target" 2>/dev/null || fail "cannot be read: $1"
}

# What $target may hold, by its name: $what is list, pem, or beside (what HAProxy
# reads beside a certificate, and nobody here writes).
known() { # PATH
	case "$NL$lists$NL" in *"$NL$target$NL"*) what=list && return 0 ;; esac
	what=pem
	case "$NL$named$NL" in *"$NL$target$NL"*) return 0 ;; esac
	case $target in
	*.[pP][eE][mM] | *.[cC][rR][tT] | *.[cC][eE][rR] | *.[cC][eE][rR][tT] | *.[kK][eE][yY]) ;;
	*.rsa | *.ecdsa | *.dsa | *.chain | *.fullchain) ;;
	*.ocsp | *.issuer | *.sctl) what=beside ;;
	*) refuse "not named as a certificate or key, nor in haproxy.conf at the agent's start: $1" ;;
	esac
}

# The one name of its file, and one that holds what its name says. An empty one is
# a place that was kept for a certificate.
ours() {
	[ -n "$(find "$target" -prune -type f -links 1 2>/dev/null)" ] ||
		refuse "has another name elsewhere: $target" || return 1
	[ "$what" != pem ] || [ ! -s "$target" ] ||
		grep -qE -e '-----BEGIN ([A-Z0-9]+ )*(CERTIFICATE|PRIVATE KEY|PARAMETERS)-----' "$target" ||
		refuse "no certificate or key is in $target"
}

# Whether FILE holds nothing but that: a file of another kind would be read by
# other programs of root's. Text between blocks, as openssl and browsers print it,
# may stand there, but no line that cron(8) would take for a command.
fits() { # FILE
	case $what in
	pem) tr '\r' '\n' <"$1" | awk "$ONLY_PEM" ;;
	list) awk "$ONLY_LIST" "$1" ;;
	*) false ;;
	esac || refuse "not what is a certificate, a key or a crt-list: $target" || return 1
	# awk may end a line at a NUL.
	[ "$(tr -d '\000' <"$1" | wc -c)" -eq "$(wc -c <"$1")" ] || refuse "holds a NUL: $target"
}

ONLY_LIST='
/^[ \t\r]*(#|$)/ { next }
!/^[ \t]*[A-Za-z0-9_.\/@"\\]/ { bad = 1 }
END { exit bad }'

# shellcheck disable=SC2016 # awk's, not sh's
ONLY_PEM='
{ sub(/^[ \t]+/, ""); sub(/[ \t]+$/, "") }
$0 == "" || bad { next }
within {
	if ($0 == "-----END " label "-----") within = 0
	else if ($0 !~ /^[A-Za-z0-9+\/=]+$/ && $0 !~ /^(Proc-Type|DEK-Info): [A-Za-z0-9,-]+$/) bad = 1
	next
}
/^-----BEGIN [A-Z0-9 ]+-----$/ {
	label = substr($0, 12, length($0) - 16)
	within = 1
	if (label ~ /(CERTIFICATE|PRIVATE KEY)$/) found = 1
	next
}
/^-----/ || $1 ~ /^@/ || $1 ~ /^[*~0-9][-*~0-9,\/]*$/ { bad = 1 }
END { exit bad || within || !found }'

# Takes BYTES of standard input whatever happens, so that the next line is the
# next request.
cert_write() { # VERB PATH BYTES
	case $3 in '' | *[!0-9]* | ????????*) refuse "no length: $3" || return 1 ;; esac
	beside=''
	if place "$2" && written "$2" && safe && { [ ! -e "$target" ] || ours; } && prepare; then
		head -c "$3" | { cat >"$beside" || { cat >/dev/null && false; }; } 2>/dev/null ||
			fail "cannot be written: $2"
	else
		head -c "$3" >/dev/null
	fi
	[ -n "$why" ] || finish "$1" "$3"
	[ -z "$why" ] && return 0
	[ -z "$beside" ] || rm -f "$beside"
	return 1
}

cert_remove() { # PATH
	place "$1" && written "$1" && safe || return 1
	[ -e "$target" ] || return 0
	[ "$what" = pem ] || refuse "not a certificate or key: $1" || return 1
	ours || return 1
	{ rm -f "$target" && durable "$folder"; } 2>/dev/null || fail "cannot be removed: $1"
}

written() { # PATH
	known "$1" || return 1
	[ "$what" != beside ] || refuse "only read: $1"
}

# Where others can write they could put a link in the place of any file, and
# further up of any directory; in a sticky one only where nothing is.
safe() {
	[ -n "$(find "$folder" -prune -user 0 ! -perm -020 ! -perm -002 2>/dev/null)" ] ||
		refuse "$folder can be written by others than root" || return 1
	above=$folder
	set --
	while [ "$above" != / ] && [ -n "$above" ]; do
		above=${above%/*}
		set -- "$@" "${above:-/}"
	done
	loose=$(find "$@" -prune ! \( -user 0 \( ! -perm -020 ! -perm -002 -o -perm -1000 \) \) 2>&1)
	[ -z "$loose" ] || refuse "${loose%%"$NL"*} can be written by others than root"
}

# Owner and mode of the old file; 0600 for a new one. HAProxy leaves names out
# that begin with a dot when it loads a directory.
prepare() {
	beside=$folder/.${target##*/}.proxyctl
	rm -f "$beside"
	if [ -e "$target" ]; then cp -p "$target" "$beside"; else : >"$beside"; fi 2>/dev/null ||
		fail "cannot be written beside: $target"
}

finish() { # VERB BYTES
	[ "$(wc -c <"$beside")" -eq "$2" ] || fail "cut short: $target" || return 1
	fits "$beside" || return 1
	durable "$beside" || fail "cannot be written: $target" || return 1
	if [ "$1" = cert-try ]; then
		rm -f "$beside"
	else
		{ mv -f "$beside" "$target" && durable "$folder"; } 2>/dev/null ||
			fail "cannot be replaced: $target"
	fi
}

# What a helper that was killed left beside a file, a key in it: nobody knows of
# it any more. Links are not followed, nor is another file system entered, nor
# what others can write; 2 s at most, so that a start in a large directory stays one.
tidy() {
	IFS=$NL
	for allowed in $directories; do
		IFS=' '
		case $allowed in */.) levels=1 ;; *) levels=99 ;; esac
		folder=$(realpath "$allowed" 2>/dev/null) || continue
		safe || continue
		bounded find "$folder/" -maxdepth "$levels" -xdev \
			-type d \( ! -user 0 -o -perm -020 -o -perm -002 \) -prune -o \
			-type f -user 0 -name '.?*.proxyctl' -exec rm -f {} + >/dev/null 2>&1 </dev/null
	done
	IFS=' '
}

# fsync(1) is FreeBSD's; Linux has sync FILE.
durable() { if command -v fsync >/dev/null; then fsync "$1"; else sync "$1"; fi; }

# A command of agent.toml. Its output goes through a file: what it leaves
# running would hold a pipe open. Only the waiting has an end: a reload leaves
# HAProxy behind, and nothing here may kill what serves.
command_of() { # WORDS, one a line
	[ -n "$1" ] || refuse 'not configured in agent.toml' || return 1
	out=$(mktemp /tmp/proxyagent.XXXXXXXX) || fail 'no room in /tmp' || return 1
	IFS=$NL
	# shellcheck disable=SC2086 # one word a line
	set -- $1
	IFS=' '
	"$@" >"$out" 2>&1 </dev/null &
	command=$!
	(sleep "$patience" && kill -ALRM $$) >/dev/null 2>&1 </dev/null &
	clock=$!
	wait "$command"
	code=$?
	put_down "$clock"
	awk '{ print " " $0 }' "$out"
	rm -f "$out"
	if [ "$code" -gt 128 ] && kill -0 "$command" 2>/dev/null; then
		fail "it still runs after $patience s and is not waited for" || return 1
	fi
	[ "$code" -eq 0 ] || fail "exit $code"
}

# The variables of rc.conf that make a vhid and the lines of what works on CARP, as
# FILE:LINE:TEXT. The file holds the password, so only root reads it, and no
# password leaves here: each word behind "pass" or "key" is replaced. Letter by
# letter, because a value goes over lines and has quotes within quotes; what
# stands behind the value on its line is left out.
rc_lines() {
	for file in /etc/rc.conf /etc/rc.conf.local /etc/rc.conf.d/network /etc/rc.conf.d/netif; do
		[ ! -f "$file" ] || awk -v SQ="'" '
			function show(  i) {
				for (i = 1; i <= count; i++)
					if (made) print " " FILENAME ":" first + i - 1 ":" kept[i]
				open = count = made = 0
			}
			# Ends a word of the value; the next one may be a password.
			function ended() {
				if (word == "vhid") made = 1
				if (word != "") secret = secret == 1 ? 2 : word == "pass" || word == "key"
				word = ""
			}
			function one(letter) {
				if (secret != 1) out = out letter
				else if (word == "") out = out "PASSWORD"
				word = word letter
				if (word == "pass=" || word == "key=") { word = ""; secret = 1 }
			}
			function quote(letter) {
				if (inner == letter) inner = ""
				else if (inner == "") inner = letter
				else { one(letter); return }
				# An empty string is a word too.
				if (secret == 1 && word == "") one("\"")
				else if (secret != 1) out = out (outer == "\"" && letter == "\"" ? "\\" : "") letter
			}
			function read(text,  i, c, n) {
				out = name
				name = ""
				n = length(text)
				for (i = 1; i <= n; i++) {
					c = substr(text, i, 1)
					if (c == "\\" && outer != SQ) {
						if (i == n) break
						c = substr(text, ++i, 1)
						if (c == "\"" && outer == "\"") quote(c)
						else one(c)
					} else if (c == outer) { outer = ""; out = out c }
					else if (outer == "" && (c == "\"" || c == SQ)) { outer = c; out = out c }
					else if (outer != "" && (c == "\"" || c == SQ)) quote(c)
					else if (c ~ /[ \t;&|]/ && outer == "") { ended(); kept[++count] = out; show(); return }
					else if (c ~ /[ \t]/ && inner == "") { ended(); out = out c }
					else one(c)
				}
				if (i > n && (outer == "" || inner == "")) ended()
				kept[++count] = out (i > n ? "" : "\\")
				if (i > n && outer == "") show()
			}
			!open && /^[ \t]*(ifstated|pfsync)_enable=/ { print " " FILENAME ":" FNR ":" $0; next }
			!open && /^[ \t]*(ipv6_)?ifconfig_[A-Za-z0-9_]+=/ {
				open = 1; first = FNR; count = made = secret = 0; outer = inner = word = ""
				at = index($0, "=")
				name = substr($0, 1, at)
				read(substr($0, at + 1))
				next
			}
			open { read($0) }
			END { if (open) show() }' "$file" || fail "cannot be read: $file" || return 1
	done
}

# Those of HAProxy and nobody else's: where the kernel hides them from the agent's
# user (security.bsd.see_other_uids), it cannot tell which still serve after a
# reload. Linux has network namespaces for jails.
processes() {
	case $(uname) in Linux) jail=netns ;; *) jail=jid ;; esac
	run ps -axww -o pid= -o ppid= -o "$jail=" -o command= || return 1
	printf '%s\n' "$said" | awk '
		$4 ~ /^(.*\/)?haproxy$/ && ++count <= 1000 {
			gsub(/[[:cntrl:]]/, "?")
			print " " substr($0, 1, 4000)
		}
		END { exit count > 1000 }' || fail 'more than 1000 processes are called haproxy'
}

request() { # VERB ARGUMENT...
	case ${1-} in
	cert-read) [ $# -eq 2 ] || refuse "$1 needs PATH" || return 1 && cert_read "$2" ;;
	will) shift && remember "$@" ;;
	tell) shift && { [ $# -gt 0 ] || refuse 'tell needs IF' || return 1; } && tell "$@" ;;
	cert-remove) [ $# -eq 2 ] || refuse "$1 needs PATH" || return 1 && cert_remove "$2" ;;
	cert-write | cert-try) [ $# -eq 3 ] || refuse "$1 needs PATH BYTES" || return 1 && cert_write "$@" ;;
	check | reload | pf-info | pf-rules | pf-interfaces | rc-lines | processes)
		[ $# -eq 1 ] || refuse "$1 takes nothing" || return 1
		case $1 in
		check) command_of "$check" ;;
		reload) command_of "$reload" ;;
		pf-info) command_of "$pfctl$NL-s${NL}info" ;;
		pf-rules) command_of "$pfctl$NL-sr" ;;
		pf-interfaces) command_of "$pfctl$NL-sI$NL-v" ;;
		rc-lines) rc_lines ;;
		processes) processes ;;
		esac
		;;
	deploy-*)
		[ -n "$deploy" ] ||
			refuse 'not allowed here: [haproxy] deploy = true in agent.toml, and a restart of the agent' || return 1
		deployment "$@"
		;;
	*) acts "$@" ;;
	esac
}

# Every vhid there can be, each with two acts, is a quarter of that.
longest=65536

answer() { # LINE
	sequence=0
	[ ${#1} -le "$longest" ] || refuse "a line of more than $longest characters" || set -- ''
	case $1 in
	*[!A-Za-z0-9\ ._/@:=+,-]*) why='refused a character that no verb needs' ;;
	*)
		# shellcheck disable=SC2086 # words of one line
		set -- $1
		sequence=${1-}
		case $sequence in '' | *[!0-9]*) why=${why:-refused no number} sequence=0 ;; esac
		[ -n "$why" ] || { shift && request "$@"; }
		;;
	esac
	printf '%s %s\n' "$sequence" "${why:-ok}" 2>/dev/null
}

tidy
# shellcheck source=/dev/null
[ -z "$deploy" ] || { . "${0%/*}/deploy.sh" && begin_deployments; }
why=
# A handler, as above. It cuts a read short; the next one goes on.
trap 'trap : TERM; heard=x; last_will &' TERM
echo '0 ok'
while :; do
	heard=''
	if IFS= read -r line; then
		# What an agent asked that has ended meanwhile, another may have decided anew.
		kill -0 "$PPID" 2>/dev/null || break
		why=''
		answer "$line"
	elif [ -z "$heard" ]; then
		break
	fi
done
# The agent is gone; its fence goes with it.
if [ -n "$keeper" ] && kill -0 "$keeper" 2>/dev/null; then unfence; fi
