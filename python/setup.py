"""What pyproject.toml cannot say: the version of the library, and a wheel for one platform and any Python 3."""

import os

from setuptools import Distribution, setup
from wheel.bdist_wheel import bdist_wheel


class PlatformDistribution(Distribution):
    """Holds a library for one platform."""

    def has_ext_modules(self):
        return True


class AnyPythonWheel(bdist_wheel):
    """Nothing in the wheel is compiled for one version of Python."""

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


setup(
    version=os.environ.get("SAPAGPU_VERSION", "0.0.0"),
    distclass=PlatformDistribution,
    cmdclass={"bdist_wheel": AnyPythonWheel},
)
