"""Each rule of events.py sees what it is there for."""

import unittest

import events
import workflows

# (file, what is replaced, by what, what must be said)
CHANGES = [
    ("ci.yml", "  pull_request:\n", "  workflow_dispatch:\n", "a pull request starts nothing"),
    ("ci.yml", "    branches: [main]", "    branches: [trunk]", "a commit on main starts release.yml"),
    ("ci.yml", "    branches: [main]", "    tags: [v1]", "a commit on another branch starts ci.yml"),
    ("release.yml", "on:\n", "on:\n  pull_request:\n", "a pull request starts ci.yml, release.yml"),
    ("ci.yml", "contents: read # check", "packages: write # check", "may write packages in a pull request"),
    ("ci.yml", " || !github.event.pull_request.head.repo.fork", "", "does not run in a pull request"),
    ("ci.yml", "if: github.event_name == 'push' || !github.event.pull_request.head.repo.fork", "if: always()", "runs in a pull request from a fork"),
    ("ci.yml", "      - run: bash .ci/run", "      - if: github.ref == 'refs/heads/main'\n        run: bash .ci/run", "does not run in a pull request"),
    ("ci.yml", "    name: Tests, format", "    if: github.event_name == 'push'\n    name: Tests, format", "check does not run in a pull request"),
]


class Events(unittest.TestCase):
    def test_the_files_as_they_are(self):
        self.assertEqual(list(events.complaints(workflows.read()[0])), [])

    def test_every_change_for_the_worse_is_seen(self):
        texts = workflows.read()[0]
        for name, before, after, expected in CHANGES:
            with self.subTest(after=after):
                self.assertIn(before, texts[name])
                said = "\n".join(events.complaints(texts | {name: texts[name].replace(before, after)}))
                self.assertIn(expected, said)

    def test_a_condition_that_is_not_known_is_no_guess(self):
        with self.assertRaises(ValueError):
            events.runs("steps.build.outcome == 'success'", events.EVENTS["a commit on main"])


if __name__ == "__main__":
    unittest.main()
