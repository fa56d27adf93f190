#!/usr/bin/python

DOCUMENTATION = r"""
module: wait
short_description: Waits until something holds of the pair
description:
  - Returns once every condition holds, and fails with exit 124 after 60 s or C(timeout).
  - Changes nothing. In check mode it is skipped, for what it waits for has not been done.
extends_documentation_fragment: [proxyctl.pair.common]
author: The proxyctl authors
options:
  for:
    description: >-
      C(owner=NODE[,ADDRESS]), C(serving[=NODE]), C(drained=BACKEND[/SERVER]),
      C(version=CERT[@FINGERPRINT]), C(converged).
    type: list
    elements: str
    required: true
"""

EXAMPLES = r"""
- name: HAProxy is back
  proxyctl.pair.wait:
    for: [serving=haproxy02, converged]
    timeout: 5m
  delegate_to: localhost
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
    READING,
    carry_out,
)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            READING,
            **{"for": {"type": "list", "elements": "str", "required": True}}
        ),
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(skipped=True, changed=False, msg="not waited for in check mode")
    carry_out(module, "wait", ["for"])


if __name__ == "__main__":
    main()
