root=${PKG_ROOTDIR%/}
etc=${root}@ETC@
if [ ! -e "${etc}/agent.toml" ] && [ ! -L "${etc}/agent.toml" ]; then
	cp "${etc}/agent.toml.sample" "${etc}/agent.toml" || exit 1
	chmod 644 "${etc}/agent.toml"
fi
# V8's compiled form of proxyctl, for the Node of this host. Without it proxyctl
# only starts slower, so nothing here can fail the installation.
if [ -z "${root}" ] && [ -x /usr/local/bin/node ]; then
	/usr/local/bin/node @LIBEXEC@/warm-up.cjs </dev/null >/dev/null 2>&1 || :
fi
exit 0
