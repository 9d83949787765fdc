"""Each rule of image_name.py sees what it is there for."""

import unittest

import image_name


class ImageName(unittest.TestCase):
    def said(self, text, path="somewhere.yml"):
        good = {must: "ghcr.io/OWNER/branch-loan-api" for must in image_name.MUST}
        return "\n".join(image_name.complaints({**good, path: text}))

    def test_the_name(self):
        for good in (
            "ghcr.io/OWNER/branch-loan-api@sha256:1",
            "ghcr.io/${GITHUB_REPOSITORY_OWNER,,}/branch-loan-api:latest",
            "branch-loan-api:dev",
        ):
            self.assertEqual(self.said(good), "")

    def test_another_name(self):
        for bad in (
            "ghcr.io/OWNER/dummy-branch-app:latest",
            "ghcr.io/OWNER/branch-loan-api-server",
            "ghcr.io/somebody/branch-loan-api",
            "docker run loan-api:dev",
        ):
            self.assertIn("is not", self.said(bad))

    def test_a_file_that_must_name_it(self):
        self.assertIn("does not name the image", self.said("nothing", image_name.MUST[0]))
        self.assertIn("is missing", "\n".join(image_name.complaints({})))


if __name__ == "__main__":
    unittest.main()
