"""What a pull request starts and what a commit on main does, worked out from the workflows without GitHub: the first
publishes nothing, the second does, and both are checked alike."""

import re
import sys

import yaml

from workflows import read, steps

# What GitHub would know, of each event that may start something.
EVENTS = {
    "a pull request": {"event": "pull_request", "ref": "refs/pull/1/merge", "fork": False},
    "a pull request from a fork": {"event": "pull_request", "ref": "refs/pull/1/merge", "fork": True},
    "a commit on main": {"event": "push", "ref": "refs/heads/main", "fork": None},
    "a commit on another branch": {"event": "push", "ref": "refs/heads/other", "fork": None},
}
# Which workflows each starts, and nothing else.
STARTS = {
    "a pull request": {"ci.yml"},
    "a pull request from a fork": {"ci.yml"},
    "a commit on main": {"ci.yml", "release.yml"},
    "a commit on another branch": set(),
}


def starts(data, event):
    triggers = data.get(True) or data.get("on")
    if event["event"] not in triggers:
        return False
    branches = (triggers[event["event"]] or {}).get("branches")
    return event["event"] == "pull_request" or not branches or event["ref"].removeprefix("refs/heads/") in branches


def runs(condition, event):
    """Whether an `if:` lets a job or a step run, when everything before it went well and no variable is set."""
    values = {
        "github.event_name": event["event"], "github.ref": event["ref"],
        "github.event.pull_request.head.repo.fork": event["fork"],
    }
    expression = str(condition).removeprefix("${{").removesuffix("}}")
    expression = re.sub(r"vars\.\w+", "''", expression).replace("failure()", "False").replace("always()", "True")
    for name, value in sorted(values.items(), key=lambda item: -len(item[0])):
        expression = expression.replace(name, repr(value))
    expression = expression.replace("&&", " and ").replace("||", " or ")
    expression = re.sub(r"!(?!=)", " not ", expression)
    if re.search(r"\b(github|steps|needs|inputs|env|matrix)\.", expression):
        raise ValueError(f"what is {condition}?")
    return bool(eval(expression, {"__builtins__": {}}))  # our own files, of which nothing but operators is left


def complaints(texts):
    """Complaints about what an event starts: a pull request publishes nothing and deploys nothing, main does, and a
    fork's run, which may not write, leaves out nothing but the upload of findings."""
    workflows = {name: yaml.safe_load(text) for name, text in texts.items()}
    for what, event in EVENTS.items():
        started = {name for name, data in workflows.items() if starts(data, event)}
        if started != STARTS[what]:
            yield f"{what} starts {', '.join(sorted(started)) or 'nothing'}, not {', '.join(sorted(STARTS[what])) or 'nothing'}"
        for name in sorted(started):
            for job_name, job in workflows[name]["jobs"].items():
                where = f"{name}: {job_name}"
                writes = {grant for grant, kind in (job.get("permissions") or {}).items() if kind == "write"}
                if event["event"] == "pull_request" and writes - {"security-events"}:
                    yield f"{where} may write {', '.join(sorted(writes))} in {what}"
                if event["event"] == "pull_request" and not runs(job.get("if", True), event):
                    yield f"{where} does not run in {what}"
                for step in steps(job):
                    uploads = "upload-sarif" in step.get("uses", "")
                    wanted = not (uploads and event["fork"]) and step.get("if") != "failure()"
                    if runs(step.get("if", True), event) != wanted:
                        yield f"{where}: {step.get('name') or step.get('uses')} {'does not run' if wanted else 'runs'} in {what}"


if __name__ == "__main__":
    said = list(complaints(read()[0]))
    print("\n".join(said))
    sys.exit(bool(said))
