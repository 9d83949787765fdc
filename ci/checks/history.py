"""Looks for secrets in everything that was ever committed, not only in what is there now: each version of each file,
under a name that tells Trivy nothing, since it passes over folders that are called tests or examples. What it finds and
may be there is in the list below, by the file's path and with why."""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Whose secrets are made up, by a pattern for the path, with why.
MADE_UP = {
    r"fuzz/corpus/tokens/header_\w+": "tokens that fuzzing starts from; no server has their keys",
}


def git(root, *arguments, **more):
    return subprocess.run(["git", "-C", root, *arguments], check=True, capture_output=True, **more).stdout


def versions(root):
    """Every blob that any commit has, with a path that it had."""
    found = {}
    for line in git(root, "rev-list", "--objects", "--all", "HEAD", text=True).splitlines():
        name, _, path = line.partition(" ")
        if path:
            found[name] = path
    return found


def write(root, names, folder):
    """Writes the blobs among the objects into the folder."""
    batch = git(root, "cat-file", "--batch", input="\n".join(names).encode())
    position = 0
    for name in names:
        end = batch.index(b"\n", position)
        _, kind, size = batch[position:end].split()
        content = batch[end + 1 : end + 1 + int(size)]
        position = end + 2 + int(size)
        if kind == b"blob":
            (folder / f"{name}.txt").write_bytes(content)


def findings(root, cache):
    """The rule, the path and the blob of each secret."""
    known = versions(root)
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        write(root, list(known), folder)
        command = ["trivy", "filesystem", "--quiet", "--scanners", "secret", "--format", "json", "--cache-dir", cache]
        command += ["--skip-check-update", "--skip-version-check", "--offline-scan", str(folder)]
        answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    for result in answer.get("Results", []):
        for secret in result.get("Secrets", []):
            name = result["Target"].removesuffix(".txt")
            yield secret["RuleID"], known[name], name


def complaints(found, made_up):
    used = set()
    for rule, path, name in found:
        excuses = [pattern for pattern in made_up if re.fullmatch(pattern, path)]
        used.update(excuses)
        if not excuses:
            yield f"{rule} in {path}: git cat-file -p {name}"
    for pattern in made_up.keys() - used:
        yield f"{pattern} excuses nothing: remove it"


if __name__ == "__main__":
    # On a developer's machine what is there is looked at; the pipeline must have all of it.
    shallow = git(ROOT, "rev-parse", "--is-shallow-repository", text=True).strip() == "true"
    if shallow and "CI" in os.environ:
        print("only the newest commits are here: check out with fetch-depth: 0")
        sys.exit(1)
    said = list(complaints(findings(ROOT, sys.argv[1]), MADE_UP))
    print("\n".join(said))
    sys.exit(bool(said))
