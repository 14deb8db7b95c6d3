"""Weight files inside installed packages, each checked against the hash that was reviewed."""

import hashlib
from importlib.util import find_spec
from pathlib import Path


class WrongWeights(Exception):
    """A weight file is not the one that was reviewed."""


def weight_file(package: str, path: str, sha256: str) -> Path:
    """The file inside `package`. Nothing of the package itself is run. Raises WrongWeights."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise WrongWeights(f"the package {package} is not installed")
    file = Path(spec.submodule_search_locations[0]) / path
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != sha256:
        raise WrongWeights(f"{file} has the hash {found}, not {sha256}")
    return file
