#!/usr/bin/python

DOCUMENTATION = r"""
module: drain
short_description: No new sessions for servers, on every node
description:
  - Sends no new sessions to servers of HAProxy; those there may end.
extends_documentation_fragment: [proxyctl.pair.common, proxyctl.pair.common.changing]
author: The proxyctl authors
options:
  target:
    description: BACKEND/SERVER, or BACKEND for all its servers.
    type: list
    elements: str
    required: true
  until:
    description:
      - It ends by itself, like C(2h), C(18:00), or a date with time.
      - A new end is a new wish, so with it the task is C(changed) at every run.
    type: str
  wait:
    description: Until no session is left on any node, 300 s or C(timeout).
    type: bool
    default: false
  then:
    description: At the end of that time; leave it, maint, kill the sessions, or fail (undo).
    type: str
    choices: [leave, maint, kill, fail]
"""

EXAMPLES = r"""
- name: Empty a server before its kernel is updated
  proxyctl.pair.drain:
    target: [WEB/web1]
    wait: true
    timeout: 10m
    reason: kernel update
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
    take_out,
)


def main():
    module = AnsibleModule(
        argument_spec=dict(
            CHANGING,
            target={"type": "list", "elements": "str", "required": True},
            until={"type": "str"},
            wait={"type": "bool", "default": False},
            then={"type": "str", "choices": ["leave", "maint", "kill", "fail"]},
        ),
        supports_check_mode=True,
    )
    take_out(module, "drain")


if __name__ == "__main__":
    main()
