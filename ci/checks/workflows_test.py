"""Each rule of workflows.py sees what it is there for."""

import datetime
import unittest

import workflows

TODAY = datetime.date(2026, 6, 1)
CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"
CHANGES = [
    ("permissions: {}", "permissions: read-all", "permissions on top"),
    ("concurrency:\n  group: ci", "defaults:\n  group: ci", "no concurrency"),
    ("timeout-minutes: 10", "continue-on-error: true", "no timeout-minutes"),
    ("    permissions:\n", "    environment:\n", "no permissions"),
    ("ubuntu-24.04", "ubuntu-latest", "floats"),
    ("persist-credentials: false", "persist-credentials: true", "keeps its credentials"),
    (CHECKOUT, "actions/checkout@v7 # v7", "not pinned"),
    (CHECKOUT, CHECKOUT.split(" #")[0], "does not say its version"),
    ("run: bash .ci/run", "run: bash .ci/run ${{ github.ref }}", "interpolated"),
    ("contents: read # check the repository out", "contents: read", "does not say why"),
    ("  pull_request:\n", "  pull_request_target:\n", "what strangers wrote"),
]


def said(texts, ignored="vulnerabilities: []", dependabot="updates: []"):
    return "\n".join(workflows.complaints(texts, ignored, dependabot, TODAY))


class Workflows(unittest.TestCase):
    def test_the_files_as_they_are(self):
        self.assertEqual(workflows.complaints(*workflows.read(), datetime.date.today()), [])

    def test_every_change_for_the_worse_is_seen(self):
        text = workflows.read()[0]["ci.yml"]
        for before, after, expected in CHANGES:
            with self.subTest(after=after):
                self.assertIn(before, text)
                self.assertIn(expected, said({"ci.yml": text.replace(before, after)}))

    def test_two_versions_of_an_action(self):
        text = workflows.read()[0]["ci.yml"]
        other = text.replace("3d3c42e5aac5ba805825da76410c181273ba90b1", "0" * 40)
        self.assertIn("2 versions", said({"a.yml": text, "b.yml": other}))

    def test_what_is_accepted_ends(self):
        entry = "vulnerabilities:\n- {id: CVE-1, expired_at: %s, statement: %s}"
        self.assertEqual(said({}, entry % ("2026-07-01", "why")), "")
        self.assertIn("expired", said({}, entry % ("2026-05-01", "why")))
        self.assertIn("90 days", said({}, entry % ("2027-05-01", "why")))
        self.assertIn("why or until", said({}, entry % ("2026-07-01", "''")))

    def test_dependabot_waits(self):
        self.assertIn("cool-down", said({}, dependabot="updates: [{package-ecosystem: cargo}]"))


if __name__ == "__main__":
    unittest.main()
