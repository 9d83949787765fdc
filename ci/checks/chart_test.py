"""Each rule of chart.py sees what it is there for. The argument is a rendered chart."""

import pathlib
import sys
import unittest

import chart
import yaml

TEXT = ""
CHANGES = [
    ("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", "not confined"),
    ("drop: [ALL]", "drop: []", "not confined"),
    ("runAsUser: 65532", "runAsUser: 0", "not confined"),
    ("automountServiceAccountToken: false", "automountServiceAccountToken: true", "knows more"),
    ("enableServiceLinks: false", "enableServiceLinks: true", "knows more"),
    ("@sha256:", ":", "not named by its digest"),
    ("PII_KEY_FILE", "PII_KEY", "the secret PII_KEY"),
    ("DATABASE_READ_URL_FILE", "DATABASE_READ_URL", "the secret DATABASE_READ_URL"),
    ("    - ports:\n        - port: 5433\n", "", "3 ways out, not 4"),
    ("DATABASE_READ_URL_FILE", "LOG_LEVEL", "4 ways out, not 3"),
    ("AUTH_AUDIENCE", "AUTH_AUDIENCES", "no setting of the server"),
    ("terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: 20", "is killed before"),
    ("path: /readyz", "path: /livez", "the probes ask"),
    ("pre-install,pre-upgrade", "pre-upgrade,pre-rollback", "the migration runs at"),
    ("kind: NetworkPolicy", "kind: Nothing", "there is no NetworkPolicy"),
    ("namespace: loans", "x: y", "in no namespace"),
    ("limits:", "limit:", "has no limits"),
    ("    - port: admin\n      path", "    - port: http\n      path", "another port than the admin port"),
    ("app.kubernetes.io/component: admin\nspec:", "app.kubernetes.io/component: api\nspec:", "no Service with the admin port"),
    ("targetPort: http", "targetPort: http\n    - name: admin\n      port: 9000", "beside the public one"),
    ("name: http\n", "name: admin\n", "the ingress leads to"),
    ("      from:\n        - podSelector: {}", "      from: []", "lets anybody in"),
    ("    - ports:\n        - port: admin", "    - ports:\n        - port: http\n        - port: admin", "several ports"),
]


class Chart(unittest.TestCase):
    def said(self, text):
        return "\n".join(chart.complaints([one for one in yaml.safe_load_all(text) if one], chart.known_settings()))

    def test_as_it_is(self):
        self.assertEqual(self.said(TEXT), "")

    def test_every_change_for_the_worse_is_seen(self):
        for before, after, expected in CHANGES:
            with self.subTest(after=after):
                self.assertIn(before, TEXT)
                self.assertIn(expected, self.said(TEXT.replace(before, after)))


if __name__ == "__main__":
    TEXT = pathlib.Path(sys.argv.pop()).read_text()
    unittest.main()
