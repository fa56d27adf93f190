#!/bin/sh
# acme.sh's deploy hook for a pair. acme.sh sources it from its deploy directory by name:
#
#   ln -s /usr/local/share/examples/proxyctl/hooks/acme.sh ~/.acme.sh/deploy/proxyctl.sh
#   acme.sh --issue -d www.example.net -w /usr/local/www/proxyctl
#   acme.sh --deploy -d www.example.net --deploy-hook proxyctl
#
# export PROXYCTL=/usr/local/bin/proxyctl        # the command
# export PROXYCTL_CERT=/usr/local/etc/ssl/x.pem  # the path as HAProxy names it; remembered

# domain keyfile certfile cafile fullchain
proxyctl_deploy() {
	_getdeployconf PROXYCTL
	_getdeployconf PROXYCTL_CERT
	[ -z "$PROXYCTL" ] || _savedeployconf PROXYCTL "$PROXYCTL"
	[ -z "$PROXYCTL_CERT" ] || _savedeployconf PROXYCTL_CERT "$PROXYCTL_CERT"

	# The key goes through a pipe, never through an argument or acme.sh's debug output.
	if cat "$5" "$2" |
		"${PROXYCTL:-proxyctl}" cert push - --reason "acme.sh renewed $1" \
			${PROXYCTL_CERT:+"--as=$PROXYCTL_CERT"}; then
		_info "proxyctl: $1 is served by every node"
		return 0
	fi
	_err "proxyctl: $1 was not installed"
	return 1
}
