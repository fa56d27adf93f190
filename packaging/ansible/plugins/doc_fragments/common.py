"""What the modules have in common, for ansible-doc."""

READING = """
options:
  context:
    description: A context of config.toml; without it C(PROXYCTL_CONTEXT), or the current one.
    type: str
  config:
    description: Another config.toml; without it C(PROXYCTL_CONFIG), or the usual places.
    type: path
  timeout:
    description: How long to wait, like C(500ms), C(30s) or C(5m).
    type: str
  executable:
    description: The program, by its path or by a name in PATH or C(/usr/local/bin).
    type: path
    default: proxyctl
"""

CHANGING = """
options:
  reason:
    description: Why; shown in status and kept.
    type: str
  accept_risk:
    description: Go on in spite of these, which are named by a refusal with exit 5.
    type: list
    elements: str
    default: []
    choices: [last-server, peer-unknown, peer-unhealthy, names-lost, stale-view, local-changes]
  accept_incomplete:
    description:
      - Exit 6 whose words are all among these is a warning and no failure.
      - C(nodes) is not in force on a node that is away and catches up; C(sessions) are left;
        C(checks) are not good yet; C(addresses) are still on the node.
    type: list
    elements: str
    default: []
    choices: [nodes, sessions, checks, addresses]
  request_id:
    description: The same word within an hour is done once.
    type: str
notes:
  - It acts on the whole pair; C(run_once) keeps a play from saying it for every host.
  - C(changed) is proxyctl's. In check mode C(--dry-run) is asked, and exit 3 is C(changed).
  - C(--diff) has a line for each server and node, address, or certificate and node.
"""


class ModuleDocFragment:
    DOCUMENTATION = READING
    CHANGING = CHANGING
