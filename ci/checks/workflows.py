"""What the workflows must hold beyond what actionlint, zizmor and the schema check, and that nothing accepted by Trivy is
accepted for ever."""

import datetime
import pathlib
import re
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")
LONGEST = datetime.timedelta(days=90)


def steps(job):
    return job.get("steps", [])


def one(data, text):
    """Complaints about one workflow."""
    if data.get("permissions") != {}:
        yield "permissions on top are not {}"
    if "concurrency" not in data:
        yield "no concurrency"
    triggers = data.get(True) or data.get("on")
    if "pull_request_target" in triggers or "workflow_run" in triggers:
        yield "runs with rights on what strangers wrote"
    for name, job in data["jobs"].items():
        if "timeout-minutes" not in job:
            yield f"{name}: no timeout-minutes"
        if "permissions" not in job:
            yield f"{name}: no permissions"
        runners = [job["runs-on"]]
        if "matrix" in runners[0]:
            runners = [entry["runner"] for entry in job["strategy"]["matrix"]["include"]]
        for runner in runners:
            if not re.fullmatch(r"ubuntu-\d+\.\d+(-arm)?", runner):
                yield f"{name}: the runner {runner} floats"
        for step in steps(job):
            uses = step.get("uses", "")
            if uses and not PINNED.match(uses):
                yield f"{name}: {uses} is not pinned to a commit"
            if uses.startswith("actions/checkout@") and step.get("with", {}).get("persist-credentials") is not False:
                yield f"{name}: the checkout keeps its credentials"
            if "${{" in step.get("run", ""):
                yield f"{name}: something is interpolated into run"
    for line in text.splitlines():
        if re.match(r"\s+[a-z-]+: (read|write)\b", line) and "#" not in line:
            yield f"a grant does not say why: {line.strip()}"
        if re.match(r"\s+(- )?uses: .*@", line) and not re.search(r"# v\d", line):
            yield f"a pin does not say its version: {line.strip()}"


def together(texts):
    """Complaints about the workflows as a whole: an action has one version."""
    seen = {}
    for text in texts.values():
        for action, pin in re.findall(r"uses: ([\w./-]+)@([0-9a-f]{40})", text):
            seen.setdefault(action, set()).add(pin)
    for action, pins in seen.items():
        if len(pins) > 1:
            yield f"{action} is used in {len(pins)} versions"


def accepted(data, today):
    """Complaints about what Trivy is told to pass over."""
    for kind, entries in data.items():
        for entry in entries or []:
            until = entry.get("expired_at")
            if not entry.get("statement") or not until:
                yield f"{kind}: {entry.get('id')} does not say why or until when"
            elif until < today:
                yield f"{kind}: {entry['id']} expired on {until}"
            elif until - today > LONGEST:
                yield f"{kind}: {entry['id']} is accepted for more than {LONGEST.days} days"


def cooldown(data):
    """Complaints about Dependabot: a release must be some days old before it is proposed."""
    for update in data["updates"]:
        if update.get("cooldown", {}).get("default-days", 0) < 7:
            yield f"dependabot.yml: {update['package-ecosystem']} has no cool-down of a week"


def complaints(texts, ignored, dependabot, today):
    found = []
    for name, text in texts.items():
        found += [f"{name}: {line}" for line in one(yaml.safe_load(text), text)]
    found += together(texts)
    found += [f".trivyignore.yaml: {line}" for line in accepted(yaml.safe_load(ignored), today)]
    found += cooldown(yaml.safe_load(dependabot))
    return found


def read():
    texts = {path.name: path.read_text() for path in sorted((ROOT / ".github/workflows").glob("*.y*ml"))}
    ignored, dependabot = ROOT / ".trivyignore.yaml", ROOT / ".github/dependabot.yml"
    return texts, ignored.read_text(), dependabot.read_text()


if __name__ == "__main__":
    said = complaints(*read(), datetime.date.today())
    print("\n".join(said))
    sys.exit(bool(said))
