#!/usr/bin/python

DOCUMENTATION = r"""
module: failback
short_description: Lifts what failover pinned
description:
  - Lifts the pins and brings the addresses to the preferred node.
extends_documentation_fragment: [proxyctl.pair.common, proxyctl.pair.common.changing]
author: The proxyctl authors
options:
  vhid:
    description: Only this address, as VHID@NETWORK, its vhid, or an IP. Without it all.
    type: str
"""

EXAMPLES = r"""
- name: As before
  proxyctl.pair.failback:
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
            vhid={"type": "str"},
        ),
        supports_check_mode=True,
    )
    carry_out(module, "failback", ["vhid"])


if __name__ == "__main__":
    main()
