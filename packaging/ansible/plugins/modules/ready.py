#!/usr/bin/python

DOCUMENTATION = r"""
module: ready
short_description: Servers take traffic again, on every node
description:
  - Ends drain and maint of servers of HAProxy.
  - It is done once their health checks are good.
extends_documentation_fragment: [proxyctl.pair.common, proxyctl.pair.common.changing]
author: The proxyctl authors
options:
  target:
    description: BACKEND/SERVER, or BACKEND for all its servers.
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: Back into service
  proxyctl.pair.ready:
    target: [WEB/web1]
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
            target={"type": "list", "elements": "str", "required": True},
        ),
        supports_check_mode=True,
    )
    carry_out(module, "ready", (), module.params["target"])


if __name__ == "__main__":
    main()
