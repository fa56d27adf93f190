# shellcheck shell=sh disable=SC2154 # a part of helper.sh, which sets what is not set here
# What the privileged helper does with signed configurations of HAProxy. helper.sh
# reads this file only where root allows it, by `deploy = true` in agent.toml.
#
# An operator signs on another machine; whoever brings the message here may be
# hostile, and so may be the message. Nothing of it is used before openssl(1) has
# verified it against the pair's CA, and nothing is kept where others than root
# could change it: $store has what was installed, and the newest revocation lists.
#
#   SEQ deploy-crl BYTES            revocation lists follow, PEM
#   SEQ deploy-check BYTES          a message follows (CMS in DER); installs nothing
#   SEQ deploy-install BYTES [DIGEST]   the same, and it becomes haproxy.conf; DIGEST
#                                   is that of what is there, as deploy-list has it
#   SEQ deploy-back NUMBER          what was there before NUMBER, the last one installed
#   SEQ deploy-keep NUMBER          NUMBER is not taken back any more
#   SEQ deploy-list                 what is there, and what was installed
#   SEQ deploy-show NUMBER          the message of NUMBER, as od(1) prints it

# As agent/core/deploy/deployment.ts has them.
most_files=200
most_message=4100000
most_list=1048576
# From made to until, and how far the clock of who signed may be ahead, in seconds.
longest_time=86400
clocks=120
versions=10

IFS=$NL
# shellcheck disable=SC2086 # one word a line
set -- $deploy
IFS=' '
config=$1 node=$2 pair=$3 authority=$4 store=$5
work=$store/work.$$
staged=${config%/*}/.${config##*/}.proxyctl-$$
aside=${config%/*}/.${config##*/}.proxyctl-old

# At the start: a directory that was on its way is put back before HAProxy needs it.
begin_deployments() { open_store && rm -rf "$work"; }

deployment() { # VERB ARGUMENT...
	case $1 in
	deploy-install) [ $# -eq 2 ] || [ $# -eq 3 ] ;;
	deploy-list) [ $# -eq 1 ] ;;
	*) [ $# -eq 2 ] ;;
	esac || refuse "$1 has other arguments" || return 1
	case $1 in
	deploy-crl) receive "$2" "$most_list" && take_lists ;;
	deploy-check) receive "$2" "$most_message" && accept check ;;
	deploy-install) receive "$2" "$most_message" && accept install "${3-}" ;;
	deploy-back) whole "$2" && deploy_back "$2" ;;
	deploy-keep) whole "$2" && deploy_keep "$2" ;;
	deploy-list) deploy_list ;;
	deploy-show) whole "$2" && deploy_show "$2" ;;
	*) refuse "no such verb: $1" ;;
	esac
	ended=$?
	rm -rf "$work" "$staged"
	# Without a reason it would be answered as done.
	[ "$ended" -eq 0 ] || [ -n "$why" ] || fail 'and cannot say why'
}

# Openssl 3 trusts the CAs of its own directory beside those of -CAfile.
alone() { bounded env SSL_CERT_DIR="$store/none" SSL_CERT_FILE="$store/none" openssl "$@" </dev/null; }

whole() { # NUMBER: of at most 15 digits, so that sh can reckon with it
	case $1 in '' | *[!0-9]* | 0* | ????????????????*) refuse "no number: $1" ;; esac
}

# A directory of root's alone, and in it one for the work of this process.
open_store() {
	[ -d "$store" ] || mkdir "$store" 2>/dev/null || fail "cannot be made: $store" || return 1
	folder=$(realpath "$store" 2>/dev/null) && safe || return 1
	tidy_deploy || refuse 'another configuration is under way: ask again later' || return 1
	mkdir "$work" 2>/dev/null || fail "no room in $store"
}

# Takes BYTES of standard input whatever happens: into $work/message.
receive() { # BYTES MOST
	case $1 in '' | *[!0-9]* | 0* | ????????*) refuse "no length: $1" || return 1 ;; esac
	if open_store && { [ "$1" -le "$2" ] || refuse "$1 bytes; at most $2 are taken"; }; then
		head -c "$1" | { cat >"$work/message" || { cat >/dev/null && false; }; } 2>/dev/null ||
			fail "no room in $store"
	else
		head -c "$1" >/dev/null
	fi
	[ -z "$why" ] || return 1
	[ "$(wc -c <"$work/message")" -eq "$1" ] || fail 'cut short'
}

# The CAs of the pair, each a file of its own: $work/ca.1 to ca.8.
authorities() {
	command -v openssl >/dev/null || fail 'there is no openssl(1) here' || return 1
	[ "$(realpath "$authority" 2>/dev/null)" = "$authority" ] ||
		refuse "tls.ca of agent.toml has to be a file and no link: $authority" || return 1
	folder=${authority%/*}
	safe || return 1
	[ -n "$(find "$authority" -prune -type f -user 0 ! -perm -020 ! -perm -002)" ] ||
		refuse "$authority can be written by others than root" || return 1
	awk -v to="$work/ca." '
		/^-----BEGIN CERTIFICATE-----/ { number++ }
		number > 8 { exit 1 }
		number { print >(to number) }' "$authority" || refuse "more than 8 CAs in $authority"
}

# Where the newest list of a CA is: by its key, which a renewed certificate keeps.
list_of() { # CA
	list=$(openssl x509 -in "$1" -noout -pubkey 2>/dev/null | openssl dgst -sha256 -r)
	list=$store/crl.${list%% *}
}

# Whoever is on a list that was seen here stays out: an older list is not taken.
take_lists() {
	authorities || return 1
	awk -v to="$work/list." '
		/^-----BEGIN (X509 )?CRL-----/ { number++ }
		number > 8 { exit }
		number { print >(to number) }' "$work/message"
	for ca in 1 2 3 4 5 6 7 8; do
		[ -f "$work/ca.$ca" ] || break
		list_of "$work/ca.$ca"
		for one in 1 2 3 4 5 6 7 8; do
			[ -f "$work/list.$one" ] || break
			is_newer "$work/list.$one" "$work/ca.$ca" || continue
			{ cp "$work/list.$one" "$work/list" && durable "$work/list" &&
				mv -f "$work/list" "$list" && durable "$store"; } 2>/dev/null ||
				fail "no room in $store" || return 1
		done
	done
}

# Whether LIST is signed by CA, and newer than $list.
is_newer() { # LIST CA
	said=$(alone crl -in "$1" -noout -CAfile "$2" -no-CApath 2>&1) || return 1
	[ "$said" = 'verify OK' ] || return 1
	number_of "$1" && new=$number || return 1
	[ -f "$list" ] || return 0
	number_of "$list" && [ "$new" -gt "$number" ]
}

number_of() { # LIST
	number=$(alone crl -in "$1" -noout -crlnumber 2>/dev/null) || return 1
	number=${number#crlNumber=}
	number=${number#0x}
	case $number in '' | *[!0-9A-Fa-f]* | ????????????????*) return 1 ;; esac
	number=$((0x$number))
}

# What is to be done with $work/message, once it is known to be an admin's for here and now.
accept() { # check|install [DIGEST]
	verify && signed_by && read_header && judge && place && stage && check_staged || return 1
	[ "$1" = install ] || return 0
	[ "$purpose" = push ] || refuse 'signed for a check: it is not installed' || return 1
	digest_of "$config" && before=$digest && digest_of "$staged" || return 1
	[ -z "$2" ] || [ "$2" = "$before" ] ||
		refuse "$config is not what it was: somebody has changed it meanwhile" || return 1
	install
}

# Against each CA alone, so that its own list counts. What openssl wrote before it
# failed is taken away. -purpose any: without it a certificate for clients signs nothing.
verify() {
	authorities || return 1
	tried=''
	for ca in 1 2 3 4 5 6 7 8; do
		[ -f "$work/ca.$ca" ] || break
		list_of "$work/ca.$ca"
		revoked=''
		[ ! -f "$list" ] || revoked=-crl_check
		cat "$work/ca.$ca" ${revoked:+"$list"} >"$work/trust" || fail "no room in $store" || return 1
		# shellcheck disable=SC2086 # none or one word
		said=$(alone cms -verify -binary -inform DER -in "$work/message" \
			-CAfile "$work/trust" -no-CApath -purpose any $revoked \
			-signer "$work/signer" -out "$work/content" 2>&1) && return 0
		rm -f "$work/content" "$work/signer"
		tried=$tried$said
	done
	case $tried in
	*'certificate revoked'*) refuse 'the certificate of who signed it was revoked' ;;
	*'certificate has expired'*) refuse 'the certificate of who signed it has expired' ;;
	*'CRL is not yet valid'* | *'CRL has expired'*)
		refuse "the revocation list is not in force by this host's clock: compare the clocks, publish another"
		;;
	*'certificate is not yet valid'*) refuse 'the certificate of who signed it is not yet valid: compare the clocks' ;;
	*) refuse "altered, or signed by nobody whom $authority vouches for" ;;
	esac
}

# The one name in the certificate of the one who signed, as the pair's CA gave it. The
# other certificates of a message are anybody's.
signed_by() {
	[ "$(grep -c -e '^-----BEGIN CERTIFICATE-----' "$work/signer")" = 1 ] ||
		refuse 'signed by more than one' || return 1
	name=$(openssl x509 -in "$work/signer" -noout -ext subjectAltName 2>/dev/null)
	name=${name#*"$NL    "}
	case $name in
	*[!A-Za-z0-9._@/:-]*) refuse 'signed by a certificate with other names beside the one' ;;
	"URI:proxyctl://$pair/node/"*) refuse 'signed by a node; only an operator can' ;;
	"URI:proxyctl://$pair/operator/"*/admin)
		who=${name#"URI:proxyctl://$pair/operator/"}
		who=${who%/admin}
		case $who in '' | */*) refuse "no name of an operator: $name" ;; esac
		;;
	"URI:proxyctl://$pair/operator/"*)
		refuse "signed by ${name#"URI:proxyctl://$pair/operator/"}; a configuration needs an operator with the role admin"
		;;
	*) refuse "signed by nobody of the pair $pair" ;;
	esac
}

line() { # WORD: $value is what the next line of the header says of it
	IFS= read -r value || value=''
	offset=$((offset + ${#value} + 1))
	case $value in
	*[[:cntrl:]]*) refuse 'a control character in its header' ;;
	"$1 "*) value=${value#"$1 "} ;;
	*) refuse "not written as this helper reads it: no $1" ;;
	esac
}

# The header of $work/content. $files has a line "PATH BYTES" each, $offset is where
# the first file begins.
read_header() {
	offset=0 files='' count=0 total=0
	{
		line proxyctl-deployment && version=$value &&
			line purpose && purpose=$value && line pair && pair_for=$value &&
			line nodes && nodes=$value && line made && made=$value &&
			line until && until=$value && line number && new=$value &&
			line form && form=$value && line reason && reason=$value || return 1
		while line file; do
			# shellcheck disable=SC2086 # PATH BYTES
			IFS=' ' && set -- $value
			file "$@" || return 1
		done
		# The empty line ends it.
		[ -z "$value" ] || return 1
		why=''
	} <"$work/content"
	{ [ "$count" -gt 0 ] && [ "$(wc -c <"$work/content")" -eq $((offset + total)) ]; } ||
		refuse 'its files are not as long as its header says'
}

file() { # PATH BYTES
	[ $# -eq 2 ] && [ ${#1} -le 200 ] || refuse 'not a path and a length' || return 1
	case /$1/ in
	*[!A-Za-z0-9._/@+=,-]* | *//* | */.*) refuse "no path of a configuration: $1" || return 1 ;;
	esac
	case $2 in '' | *[!0-9]* | 0?* | ????????*) refuse "no length: $2" || return 1 ;; esac
	case $NL$files in *"$NL$1 "*) refuse "twice: $1" || return 1 ;; esac
	count=$((count + 1)) total=$((total + $2)) files="$files$1 $2$NL"
	[ "$count" -le "$most_files" ] || refuse "more than $most_files files"
}

# Whether it is for this pair, this node and now, and newer than what is here.
judge() {
	[ "$version" = 1 ] || refuse "its format is $version, this helper reads 1" || return 1
	case $purpose in check | push) ;; *) refuse "no purpose: $purpose" || return 1 ;; esac
	[ "$pair_for" = "$pair" ] || refuse "for the pair $pair_for, not $pair" || return 1
	case " $nodes " in *" $node "*) ;; *) refuse "for $nodes, not for $node" || return 1 ;; esac
	whole "$made" && whole "$until" && whole "$new" || return 1
	now=$(date +%s)
	[ "$made" -le $((now + clocks)) ] ||
		refuse "signed by a clock that is $((made - now)) s ahead of this host's: set the clocks" || return 1
	[ "$until" -le $((made + longest_time)) ] || refuse "in force for more than $longest_time s" || return 1
	[ "$now" -le "$until" ] ||
		refuse "its time was over $((now - until)) s ago by this host's clock: sign it again" || return 1
	read_last || return 1
	[ "$new" -gt "$last" ] || refuse "its number is $new, and $last was installed here: sign it again"
}

# The last one that was begun here, and whether it is pending, kept or taken back.
read_last() {
	last=0 state=none
	[ -f "$store/last" ] || return 0
	{ IFS=' ' read -r last state <"$store/last" && whole "$last"; } ||
		refuse "$store/last is damaged: root removes it once it is known what is installed"
}

write_last() { # NUMBER STATE
	{ printf '%s %s\n' "$1" "$2" >"$store/last.new" && durable "$store/last.new" &&
		mv -f "$store/last.new" "$store/last" && durable "$store"; } 2>/dev/null ||
		fail "no room in $store"
}

# haproxy.conf, or the directory in its place: no link leads to it, and neither it nor
# what is above can be changed by others than root.
place() {
	case $config in
	*[!A-Za-z0-9._/@+=,-]*) refuse "haproxy.config of agent.toml has a character that is not taken here: $config" || return 1 ;;
	esac
	{ [ -e "$config" ] && [ "$(realpath "$config" 2>/dev/null)" = "$config" ]; } ||
		refuse "haproxy.config of agent.toml has to be there, and no link: $config" || return 1
	folder=${config%/*}
	folder=${folder:-/}
	safe || return 1
	loose=$(bounded find "$config" ! \( -user 0 ! -perm -020 ! -perm -002 \
		\( -type d -o -type f -links 1 \) \) 2>&1 </dev/null) || loose=$config
	[ -z "$loose" ] ||
		refuse "not a plain file that only root can write, or it has another name elsewhere: ${loose%%"$NL"*}"
}

shape() { if [ -d "$config" ]; then is='directory'; else is='file'; fi; }

# The new one as $staged, beside the real one, so that it is in its place by a rename.
# What was there lends owner and mode; a new file has those of the first by name.
stage() {
	shape
	[ "$form" = "$is" ] || refuse "signed as a $form, and $config is a $is" || return 1
	rm -rf "$staged"
	model=$(find "$config" -type f ! -name '.*' 2>/dev/null | sort)
	model=${model%%"$NL"*}
	if [ "$is" = directory ]; then
		{ cp -Rp "$config" "$staged" && find "$staged" ! -type d -exec rm -f {} +; } 2>/dev/null ||
			fail "no room beside $config" || return 1
	else
		[ "$count" -eq 1 ] && [ "$total" -gt 0 ] || refuse 'one file has one, and it is not empty' || return 1
	fi
	IFS=$NL
	for one in $files; do
		IFS=' '
		unpack "${one% *}" "${one##* }" 2>/dev/null || fail "no room beside $config" || return 1
	done
	IFS=' '
	[ "$is" = file ] || find "$staged" -mindepth 1 -depth -type d -empty -exec rmdir {} \; 2>/dev/null
	[ "$(find "$staged" -type f | wc -l)" -eq "$count" ] || refuse 'a file of it is in the way of another' || return 1
	sync_all "$staged" 2>/dev/null || fail "no room beside $config"
}

unpack() { # PATH BYTES
	to=$staged from=$config
	if [ "$is" = directory ]; then
		to=$staged/$1 from=$config/$1
		[ -f "$from" ] || from=$model
		# A directory of that name was emptied; what is a file now is none.
		[ ! -d "$to" ] || rm -rf "$to"
		case $1 in */*) (umask 022 && mkdir -p "${to%/*}") || return 1 ;; esac
	fi
	if [ -n "$from" ]; then cp -p "$from" "$to"; fi && : >"$to" || return 1
	# Of no bytes FreeBSD's head has nothing to do with.
	[ "$2" -eq 0 ] || tail -c "+$((offset + 1))" "$work/content" | head -c "$2" >"$to" || return 1
	offset=$((offset + $2))
	[ "$(wc -c <"$to")" -eq "$2" ]
}

# The command of agent.toml, with the new one in the place of haproxy.conf. It may run
# what the configuration says, as root; by now the signature is known.
check_staged() {
	words='' given=''
	IFS=$NL
	for word in $check; do
		[ "$word" != "$config" ] || word=$staged given=x
		words=$words${words:+$NL}$word
	done
	IFS=' '
	[ -n "$given" ] ||
		refuse "haproxy.check of agent.toml does not name $config: write it as a word of its own, behind -f" || return 1
	command_of "$words" && return 0
	case $why in 'failed exit '*) why="failed check: ${why#failed }" ;; esac
	return 1
}

# From write_last on this number is used up, whatever happens.
install() {
	version=$work/version
	{ mkdir "$version" && cp -Rp "$config" "$version/before" &&
		mv "$work/message" "$version/message" && about >"$version/about" &&
		sync_all "$version" && rm -rf "${store:?}/$new" && mv "$version" "$store/$new"; } 2>/dev/null ||
		fail "no room in $store" || return 1
	# Another agent may have decided anew.
	kill -0 "$PPID" 2>/dev/null || fail 'the agent is gone' || return 1
	write_last "$new" pending && swap || return 1
	forget
}

about() {
	printf '%s\n' "number $new" "who $who" "made $made" "installed $now" "digest $digest" \
		"before $before" "reason $reason"
}

# $staged in the place of $config. A directory takes two steps; what ends between them
# is mended by tidy_deploy.
swap() {
	{
		if [ -d "$config" ]; then
			rm -rf "$aside" && mv "$config" "$aside" &&
				{ mv "$staged" "$config" || { mv "$aside" "$config" && false; }; }
		else
			mv -f "$staged" "$config"
		fi && durable "$folder"
	} 2>/dev/null || fail "cannot be replaced: $config" || return 1
	rm -rf "$aside"
}

deploy_back() { # NUMBER
	open_store && read_last && place || return 1
	[ "$1" -eq "$last" ] || refuse "the last one installed is $last, not $1" || return 1
	case $state in
	back) return 0 ;;
	pending) ;;
	*) refuse 'it is kept: push the one before again' || return 1 ;;
	esac
	digest_of "$config" || return 1
	case $NL$(cat "$store/$1/about")$NL in
	*"${NL}before $digest$NL"*) write_last "$1" back && return 0 || return 1 ;;
	*"${NL}digest $digest$NL"*) ;;
	*) refuse "$config was changed by hand since: look what is in $store/$1/before" || return 1 ;;
	esac
	{ cp -Rp "$store/$1/before" "$staged" && sync_all "$staged"; } 2>/dev/null ||
		fail "no room beside $config" || return 1
	kill -0 "$PPID" 2>/dev/null || fail 'the agent is gone' || return 1
	swap && write_last "$1" back
}

deploy_keep() { # NUMBER
	open_store && read_last || return 1
	[ "$1" -eq "$last" ] || refuse "the last one installed is $last, not $1" || return 1
	case $state in
	kept) ;;
	pending) write_last "$1" kept ;;
	*) refuse 'it was taken back' ;;
	esac
}

deploy_list() {
	open_store && read_last || return 1
	place && digest_of "$config" || return 1
	shape
	printf ' %s\n' "now $digest" "form $is" "last $last" "state $state"
	numbers
	for one in $found; do
		sed 's/^/ /' "$store/$one/about" || fail "cannot be read: $store/$one/about" || return 1
	done
}

deploy_show() { # NUMBER
	[ -f "$store/$1/message" ] || refuse "no version $1 is kept" || return 1
	od -An -v -tx1 "$store/$1/message" 2>/dev/null || fail "cannot be read: $store/$1/message"
}

# The versions in $store, the newest first.
numbers() { names '[0-9]*' && found=$(printf '%s' "$found" | tr ' ' '\n' | sort -rn | tr '\n' ' '); }

names() { # PATTERN: of what is in $store
	found=$(find "$store" -mindepth 1 -maxdepth 1 -name "$1" | sed 's/.*\///' | tr '\n' ' ')
}

forget() {
	numbers
	stay=0
	for one in $found; do
		stay=$((stay + 1))
		[ "$stay" -le "$versions" ] || rm -rf "${store:?}/$one"
	done
}

# SHA-256 of a file; of a directory that of a line "HEX *./PATH" for each file in it.
digest_of() { # PATH
	digest=$({
		if [ -d "$1" ]; then
			cd "$1" && find . -type f -exec openssl dgst -sha256 -r {} + | sort -k 2
		else
			cat "$1"
		fi
	} 2>/dev/null | openssl dgst -sha256 -r)
	digest=${digest%% *}
	[ ${#digest} -eq 64 ] || fail "cannot be read: $1"
}

sync_all() { # PATH
	all=$(find "$1") || return 1
	IFS=$NL
	for one in $all; do
		IFS=' '
		durable "$one" || return 1
	done
	IFS=' '
	durable "${1%/*}"
}

# What a helper that was killed left behind is removed, and a directory that was on its
# way is put back. Fails while another helper is at work.
tidy_deploy() {
	names 'work.[0-9]*'
	for one in $found; do
		pid=${one#work.}
		[ "$pid" -eq $$ ] || case $(ps -o command= -p "$pid" 2>/dev/null) in *helper.sh*) return 1 ;; esac
		rm -rf "${store:?}/$one"
	done
	rm -f "$store/last.new"
	case $config in *[!A-Za-z0-9._/@+=,-]*) return 0 ;; esac
	folder=$(realpath "${config%/*}/" 2>/dev/null) || return 0
	safe || { why='' && return 0; }
	# Not removed before the other is certainly there.
	if [ ! -e "$config" ] && [ -d "$aside" ]; then
		{ mv "$aside" "$config" && durable "$folder"; } 2>/dev/null || return 0
	fi
	find "$folder" -maxdepth 1 -name ".${config##*/}.proxyctl-*" -exec rm -rf {} + 2>/dev/null
	:
}
