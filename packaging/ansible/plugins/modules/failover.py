#!/usr/bin/python

DOCUMENTATION = r"""
module: failover
short_description: Brings addresses to another node and keeps them there
description:
  - Moves CARP addresses and pins them until failback. A move cuts the sessions of the host it leaves.
  - Without C(to) it is the node to which they are pinned, else the other; so a second run changes nothing.
extends_documentation_fragment: [proxyctl.pair.common, proxyctl.pair.common.changing]
author: The proxyctl authors
options:
  to:
    description: Which node.
    type: str
  vhid:
    description: Only this address, as VHID@NETWORK, its vhid, or an IP. Without it all.
    type: str
  until:
    description:
      - It ends by itself, like C(2h), C(18:00), or a date with time.
      - A new end is a new wish, so with it the task is C(changed) at every run.
    type: str
"""

EXAMPLES = r"""
- name: All addresses to the second node
  proxyctl.pair.failover:
    to: haproxy02
    reason: work on the switch
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
exit_code:
  description: Exit code of proxyctl.
  returned: always
  type: int
result:
  description: What the verb did, row by row (docs/json.md).
  returned: where proxyctl has one
  type: dict
nodes:
  description: How it went on each node.
  returned: where proxyctl answered
  type: list
  elements: dict
error:
  description: Code, message, cause and remediation.
  returned: on failure
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.proxyctl.pair.plugins.module_utils.proxyctl import (
    CHANGING,
    carry_out,
)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            CHANGING,
            to={"type": "str"},
            vhid={"type": "str"},
            until={"type": "str"},
        ),
        supports_check_mode=True,
    )
    carry_out(module, "failover", ["to", "vhid", "until"])


if __name__ == "__main__":
    main()
