"""That the check of the history sees a secret that was committed and taken away again, and knows what it may pass over."""

import pathlib
import secrets
import string
import subprocess
import sys
import tempfile

import history

PATH = "tests/examples/settings.md"


def made_up_token():
    """In a known form and never in this file."""
    return "ghp_" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(36))


def repository(folder):
    def git(*arguments):
        identity = ["-c", "user.name=test", "-c", "user.email=test@example.invalid", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)

    git("init", "--quiet")
    path = folder / PATH
    path.parent.mkdir(parents=True)
    for text in (f"token = {made_up_token()}\n", "token = elsewhere\n"):
        path.write_text(text)
        git("add", ".")
        git("commit", "--quiet", "--message", "a step")


with tempfile.TemporaryDirectory() as scratch:
    root = pathlib.Path(scratch)
    repository(root)
    found = list(history.findings(root, sys.argv[1]))

failed = []
if [(rule, path) for rule, path, _ in found] != [("github-pat", PATH)]:
    failed.append(f"the token that was taken away is not what is found: {found}")
if len(list(history.complaints(found, {}))) != 1:
    failed.append("a finding without an excuse is no complaint")
if list(history.complaints(found, {r"tests/examples/.*": "made up"})):
    failed.append("an excuse is not taken")
if len(list(history.complaints([], {r"nowhere": "made up"}))) != 1:
    failed.append("an excuse for nothing is no complaint")
print("\n".join(failed))
sys.exit(bool(failed))
