"""Runs a verb of proxyctl for a module and says in Ansible's words what came of it."""

import json
import os

SCHEMA = "proxyctl/v1"
# No text of a result is longer.
LONGEST = 2000

READING = {
    "context": {"type": "str"},
    "config": {"type": "path"},
    "timeout": {"type": "str"},
    "executable": {"type": "path", "default": "proxyctl"},
}
CHANGING = dict(
    READING,
    reason={"type": "str"},
    accept_risk={
        "type": "list",
        "elements": "str",
        "default": [],
        "choices": [
            "last-server",
            "peer-unknown",
            "peer-unhealthy",
            "names-lost",
            "stale-view",
            "local-changes",
        ],
    },
    accept_incomplete={
        "type": "list",
        "elements": "str",
        "default": [],
        "choices": ["nodes", "sessions", "checks", "addresses"],
    },
    request_id={"type": "str"},
)

# What an exit code says where no error came with it.
EXITS = {
    1: "it failed and nothing was changed",
    2: "the command line, config.toml or a file cannot be used",
    3: "something would be changed",
    4: "the role of this certificate does not allow it",
    5: "it is unsafe as things are",
    6: "it is done on some nodes only, or in force and not finished",
    7: "whether it was done is not known: the connection was lost",
    8: "there is no such target, nothing was touched",
    9: "it conflicts with another act or wish",
    10: "no agent, or not the other one, answers",
    124: "it was not so in time",
    130: "it was interrupted before anything was asked",
}
# What a task can do about it.
HINTS = {
    5: "in a task: accept_risk with the name of the risk",
    6: "in a task: accept_incomplete, where the play may go on all the same",
    7: "run the task again: what is done already is not done twice",
    8: "`proxyctl status` and `proxyctl servers` have the names",
    124: "in a task: a longer timeout",
}


def option(name, value):
    """The words of one option: none for what is not given, one for each of a list."""
    values = value if isinstance(value, list) else [value]
    given = [one for one in values if one is not None and one is not False]
    return ["--" + name if one is True else "--%s=%s" % (name, one) for one in given]


def command(verb, params, options, operands, check):
    """The words behind `proxyctl`. `options` are names of params, and of proxyctl's options."""
    words = verb.split() + ["--output=json"]
    common = ["context", "config", "timeout", "reason", "accept_risk", "request_id"]
    for name in common + list(options):
        words += option(name.replace("_", "-"), params.get(name))
    if check:
        words.append("--dry-run")
    # Nothing a play has put into a name becomes an option.
    return words + (["--"] + list(operands) if operands else [])


def cut(text):
    return text if len(text) <= LONGEST else text[: LONGEST - 4] + " ..."


def sentence(error):
    """Message, cause and remedy of an error of proxyctl."""
    parts = [error.get("message") or error.get("code") or ""]
    if error.get("cause"):
        parts.append("cause: " + error["cause"])
    if error.get("remediation"):
        parts.append("remedy: " + error["remediation"])
    return "; ".join(parts)


def refusal(verb, code, answer):
    """One text that says why it failed, where, and what to do about it."""
    error = answer.get("error") or {}
    parts = [sentence(error) if error else EXITS.get(code, "exit %d" % code)]
    for row in answer.get("nodes") or []:
        told = row.get("error")
        if told and told.get("message") != error.get("message"):
            parts.append("%s: %s" % (row.get("node"), sentence(told)))
    if answer.get("incomplete"):
        parts.append("incomplete: " + ", ".join(answer["incomplete"]))
    if code in HINTS:
        parts.append(HINTS[code])
    return cut("proxyctl %s, exit %d: %s" % (verb, code, "; ".join(parts)))


def place(row):
    """Before and after of one row of a result, without what names it."""
    kind = row.get("outcome")
    if "before" in row:
        return row["before"], row["after"]
    if "fingerprint" in row:
        known = row["fingerprint_before"] or "absent"
        done = kind in ("swapped", "would-swap")
        return known, row["fingerprint"] if done else known
    if kind in ("unpinned", "would-unpin"):
        return "%s, pinned" % row["to"], row["to"]
    if kind in ("moved", "would-move"):
        return row["from"] or "no node", row["to"]
    stays = row["from"] or row["to"]
    return stays, stays


def subject(row):
    if "server" in row:
        return "%s %s/%s" % (row["node"], row["backend"], row["server"])
    if "path" in row:
        return "%s %s" % (row["node"], row["path"])
    return row["address"]


def difference(result):
    """Ansible's diff of a result: a line for each server, address or certificate."""
    rows = [row for part in (result or {}).values() if isinstance(part, list) for row in part]
    lines = [(subject(row), place(row)) for row in rows if isinstance(row, dict)]
    before, after = (
        "".join("%s: %s\n" % (name, pair[at]) for name, pair in lines) for at in (0, 1)
    )
    return {"before": before, "after": after}


def read(verb, code, stdout, stderr):
    """The envelope that proxyctl printed, or None and why there is none."""
    try:
        answer = json.loads(stdout)
    except ValueError:
        answer = None
    if isinstance(answer, dict) and answer.get("schema") == SCHEMA:
        return answer, None
    said = (stderr.strip() or stdout.strip() or "nothing")[:500]
    return None, cut(
        "proxyctl %s, exit %d, printed no %s answer but: %s; remedy: look whether "
        "`proxyctl status -o json` works on this machine as this user" % (verb, code, SCHEMA, said)
    )


def outcome(verb, code, stdout, stderr, check=False, accepted=()):
    """What a module returns: `failed` with `msg`, or `changed`, and the answer's own keys."""
    answer, problem = read(verb, code, stdout, stderr)
    if answer is None:
        return {"failed": True, "changed": False, "exit_code": code, "msg": problem}
    told = {
        # Not as "rc": Ansible takes any of those but 0 for a failure.
        "exit_code": code,
        "changed": bool(answer.get("changed")) or (check and code == 3),
        "warnings": [cut(line) for line in stderr.splitlines() if line.strip()][:20],
    }
    for key in ("result", "nodes", "incomplete", "error", "request_id", "answered_by"):
        if answer.get(key) is not None:
            told[key] = answer[key]
    told["diff"] = difference(answer.get("result"))
    missing = answer.get("incomplete") or []
    if code == 6 and missing and all(word in accepted for word in missing):
        told["warnings"].append(refusal(verb, code, answer))
    elif code != 0 and not (check and code == 3):
        told.update(failed=True, msg=refusal(verb, code, answer))
    return told


def find(module):
    """The program, also where the PATH of a login without a shell does not have it."""
    name = module.params["executable"]
    found = name if os.sep in name else module.get_bin_path(name, False, ["/usr/local/bin"])
    if found is None or not os.access(found, os.X_OK):
        module.fail_json(
            msg="%s is not on this machine, or may not be run; remedy: install proxyctl here, "
            "or say where it is (executable), or which machine has it (delegate_to)" % name
        )
    return found


def carry_out(module, verb, options=(), operands=(), data=None, line=None):
    """
    Runs the verb and ends the module. `data` is its standard input. `line`, for what has no rows
    of its own, is before and after of the diff where something changed.
    """
    params = module.params
    words = command(verb, params, options, operands, module.check_mode)
    code, stdout, stderr = module.run_command([find(module)] + words, data=data)
    told = outcome(
        verb, code, stdout, stderr, module.check_mode, params.get("accept_incomplete") or ()
    )
    if line is not None and told["changed"] and "diff" in told:
        told["diff"] = {
            key: "%s\n%s" % (text, told["diff"][key]) for key, text in zip(("before", "after"), line)
        }
    if told.get("failed"):
        module.fail_json(**told)
    module.exit_json(**told)


def take_out(module, verb):
    """drain and maint: the same but for the verb."""
    params = module.params
    if params["then"] is not None and not params["wait"]:
        module.fail_json(msg="then says what happens when wait ends; remedy: wait: true")
    carry_out(module, verb, ["until", "wait", "then"], params["target"])
