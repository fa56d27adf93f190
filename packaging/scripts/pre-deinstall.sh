root=${PKG_ROOTDIR%/}
etc=${root}@ETC@
rm -f "${root}@LIBEXEC@"/proxyctl.*.cache
# In an upgrade the configuration stays what the agent runs with.
if [ -n "${PKG_UPGRADE}" ]; then
	exit 0
fi
if [ ! -L "${etc}/agent.toml" ] && cmp -s "${etc}/agent.toml.sample" "${etc}/agent.toml"; then
	rm -f "${etc}/agent.toml"
fi
cat <<'EOM'
proxyctl: pkg stops no service. An agent that still runs goes on until
  service proxyagent stop
Before the package goes, `service proxyagent onerelease` stops the agent, puts
the configured advskew back and lifts what it holds. If it is too late for
that, on this host:
  ifconfig | grep carp:                    advskew 254 is the agent's
  ifconfig IF vhid N advskew CONFIGURED    puts the configured one back
  sysctl net.inet.carp.allow=1             lifts a fence
EOM
exit 0
