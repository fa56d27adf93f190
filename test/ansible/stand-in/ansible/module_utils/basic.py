"""What the modules ask of Ansible, as far as they ask it: {params, check} on standard input."""

import json
import shutil
import subprocess
import sys


class AnsibleModule:
    def __init__(self, argument_spec, supports_check_mode, **_rules):
        given = json.load(sys.stdin)
        strange = sorted(set(given["params"]) - set(argument_spec))
        assert strange == [] and supports_check_mode, strange
        self.check_mode = given["check"]
        self.params = {
            name: given["params"].get(name, spec.get("default"))
            for name, spec in argument_spec.items()
        }

    def get_bin_path(self, name, _required, _folders):
        return shutil.which(name)

    def run_command(self, argv, data=None):
        done = subprocess.run(argv, input=data, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def exit_json(self, **told):
        print(json.dumps(told))
        sys.exit(0)

    def fail_json(self, **told):
        print(json.dumps(dict(told, failed=True)))
        sys.exit(0)
