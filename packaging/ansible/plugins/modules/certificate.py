#!/usr/bin/python

DOCUMENTATION = r"""
module: certificate
short_description: Installs a certificate on every node, or on none
description:
  - Pushes PEM bundles (certificate, chain and key) to every node, proven by a handshake.
  - Keys stay out of logs and results; files are read on the machine of the task, C(content) goes through
    a pipe.
extends_documentation_fragment: [proxyctl.pair.common, proxyctl.pair.common.changing]
author: The proxyctl authors
options:
  src:
    description: PEM files on the machine where proxyctl runs.
    type: list
    elements: path
  content:
    description: One PEM bundle itself, as from a vault; never logged.
    type: str
  as:
    description: As HAProxy names it, one for each file. Without it the one with the same names.
    type: list
    elements: str
  key:
    description: The file of the private key, where C(src) has only certificates.
    type: path
  chain:
    description: The file of the chain, where C(src) has only the leaf.
    type: path
  into:
    description: A new certificate; adds it to this crt-list of HAProxy.
    type: str
  sni:
    description: With C(into), serve it for NAME, or not for !NAME.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: The renewed certificate, from a vault
  proxyctl.pair.certificate:
    content: "{{ www_pem }}"
    as: /usr/local/etc/ssl/www.pem
    reason: renewed
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
            **{
                "src": {"type": "list", "elements": "path"},
                "content": {"type": "str", "no_log": True},
                "as": {"type": "list", "elements": "str"},
                # A path, and no secret.
                "key": {"type": "path", "no_log": False},
                "chain": {"type": "path"},
                "into": {"type": "str"},
                "sni": {"type": "list", "elements": "str"},
            }
        ),
        supports_check_mode=True,
        required_one_of=[("src", "content")],
        mutually_exclusive=[("src", "content")],
    )
    content = module.params["content"]
    files = ["-"] if content is not None else module.params["src"]
    carry_out(module, "cert push", ["as", "key", "chain", "into", "sni"], files, data=content)


if __name__ == "__main__":
    main()
