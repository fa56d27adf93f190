# Makes the agent's user and group. pw(8) chooses the numbers: those below 1000
# are given out by the ports tree, and none there belongs to proxyctl.
root=${PKG_ROOTDIR%/}
in_root() {
	if [ -n "${root}" ]; then pw -R "${root}" "$@"; else pw "$@"; fi
}
if ! in_root groupshow proxyctl >/dev/null 2>&1; then
	in_root groupadd proxyctl || exit 1
fi
if ! in_root usershow proxyctl >/dev/null 2>&1; then
	in_root useradd proxyctl -g proxyctl -c "proxyctl agent" \
	    -d /nonexistent -s /usr/sbin/nologin || exit 1
fi
# A cache is good for one content of proxyctl.js only, which is about to change.
rm -f "${root}@LIBEXEC@"/proxyctl.*.cache
