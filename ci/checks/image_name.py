"""The image has one name wherever it is spoken of: what is built is what is scanned, signed, deployed and documented.
In a registry it is ghcr.io/OWNER/branch-loan-api, where OWNER is a placeholder in what people read and
`github.repository_owner` in what machines run."""

import pathlib
import re
import subprocess
import sys

NAME = "branch-loan-api"
ROOT = pathlib.Path(__file__).resolve().parents[2]
# What may come before the name, after the registry.
OWNERS = re.compile(r"OWNER|owner|\$\{GITHUB_REPOSITORY_OWNER,,\}|\$\{owner\}")
REFERENCE = re.compile(r"ghcr\.io/(?P<owner>[^/\s\"'`]+)/(?P<name>[A-Za-z0-9._-]*[A-Za-z0-9])")
LOCAL = re.compile(r"\b(?P<name>[a-z][a-z0-9-]*):dev\b")
# Where it must be named at all.
MUST = (
    "compose.staging.yml",
    "compose.prod.yml",
    ".github/workflows/release.yml",
    ".github/workflows/deploy.yml",
    ".github/workflows/rollback.yml",
    ".github/workflows/rescan.yml",
    "deploy/swarm/stack.yml",
    "deploy/helm/branch-loan-api/values.yaml",
    "docs/DEPLOYMENT.md",
)


def complaints(texts):
    """`texts` maps paths to contents."""
    for path, text in texts.items():
        seen = False
        for number, line in enumerate(text.splitlines(), 1):
            for found in REFERENCE.finditer(line):
                seen = True
                if found["name"] != NAME or not OWNERS.fullmatch(found["owner"]):
                    yield f"{path}:{number}: {found[0]} is not ghcr.io/OWNER/{NAME}"
            for found in LOCAL.finditer(line):
                if found["name"] != NAME:
                    yield f"{path}:{number}: {found[0]} is not {NAME}:dev"
        if path in MUST and not seen:
            yield f"{path}: does not name the image"
    for path in MUST:
        if path not in texts:
            yield f"{path}: is missing"


def read():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", "*.yml", "*.yaml", "*.md", "*.sh",
         "*.example", "Dockerfile", "justfile", "deploy"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.splitlines()
    files = {path: ROOT / path for path in listed}
    return {path: file.read_text() for path, file in files.items() if file.is_file()}


def demand(text, pattern, what):
    return [] if re.search(pattern, text, re.MULTILINE) else [f"{what} does not name {NAME}"]


if __name__ == "__main__":
    said = list(complaints(read()))
    said += demand((ROOT / "Cargo.toml").read_text(), rf'^name = "{NAME}"$', "Cargo.toml")
    said += demand((ROOT / "Dockerfile").read_text(), rf'image\.title="{NAME}"', "the label in the Dockerfile")
    chart = ROOT / "deploy/helm/branch-loan-api/Chart.yaml"
    said += demand(chart.read_text(), rf"^name: {NAME}$", "Chart.yaml") if chart.exists() else ["there is no chart"]
    print("\n".join(said))
    sys.exit(bool(said))
