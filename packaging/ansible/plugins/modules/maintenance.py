#!/usr/bin/python

DOCUMENTATION = r"""
module: maintenance
short_description: Takes all addresses from a node, or lets it have some again
description:
  - With C(state=on) gives all addresses of a node away; it takes none until C(off), also after a reboot.
extends_documentation_fragment: [proxyctl.pair.common, proxyctl.pair.common.changing]
author: The proxyctl authors
options:
  node:
    description: The node, as the agents call it.
    type: str
    required: true
  state:
    description: Whether the node is in maintenance.
    type: str
    choices: ['on', 'off']
    required: true
  until:
    description:
      - Only with C(on); it ends by itself, like C(2h), C(18:00), or a date with time.
      - A new end is a new wish, so with it the task is C(changed) at every run.
    type: str
"""

EXAMPLES = r"""
- name: Nothing of the pair here while we work
  proxyctl.pair.maintenance:
    node: haproxy01
    state: on
    reason: new disk
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
    CHANGING,
    carry_out,
)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            CHANGING,
            node={"type": "str", "required": True},
            state={"type": "str", "choices": ["on", "off"], "required": True},
            until={"type": "str"},
        ),
        supports_check_mode=True,
    )
    node, state = module.params["node"], module.params["state"]
    if state == "off" and module.params["until"] is not None:
        module.fail_json(msg="until goes with state on alone; remedy: leave it out")
    was = "off" if state == "on" else "on"
    line = ["%s: maintenance %s" % (node, word) for word in (was, state)]
    carry_out(module, "maintenance " + state, ["until"], [node], line=line)


if __name__ == "__main__":
    main()
