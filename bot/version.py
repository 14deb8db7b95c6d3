"""Which Trellis this is: the version of the installed package."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("trellis")
except PackageNotFoundError:  # started from its folder, without having been installed
    VERSION = "not installed"
