"""Known holes in the locked packages, asked of PyPI's advisory database. `make audit`.

Ends with 1 when a hole is known, 0 when none is, and 0 with a sentence when the database can't be asked: a package with holes
that everybody knows is asked for along with ours, and only when those are told is the answer believed.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

FOLDER = Path("var/audit")
KNOWN_BAD = "jinja2==2.10"  # CVE-2019-10906 and others
LEFT_OUT = "The locked packages were not audited: the advisory database can't be asked from here"

Found = list[dict[str, Any]]


def verdict(ours: Found | None, known_bad: Found | None) -> tuple[int, list[str]]:
    """(exit code, what to say). None: no answer came."""
    if ours is None or known_bad is None:
        return 0, [f"{LEFT_OUT} (no connection)."]
    if not any(each.get("vulns") for each in known_bad):
        return 0, [f"{LEFT_OUT} (it does not know the holes of {KNOWN_BAD})."]
    said = [
        f"{each['name']} {each['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for each in ours
        for hole in each.get("vulns", ())
    ]
    skipped = [f"{each['name']}: not audited, {each['skip_reason']}" for each in ours if "skip_reason" in each]
    if said:
        return 1, [*said, *skipped, "Raise the versions in pyproject.toml, then: .uv/bin/uv lock"]
    return 0, [*skipped, f"{len(ours) - len(skipped)} locked packages audited: no hole is known."]


def ask(requirements: Path, *options: str) -> Found | None:
    """What the database says of each package; None when it can't be asked."""
    answer = requirements.with_suffix(".json")
    answer.unlink(missing_ok=True)
    fixed = ["--disable-pip", "--progress-spinner", "off", "--timeout", "10", "--format", "json", "--output", str(answer)]
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(requirements), *fixed, *options]
    subprocess.run(command, capture_output=True, check=False)
    if not answer.exists():
        return None
    found: Found = json.loads(answer.read_text(encoding="utf-8"))["dependencies"]
    return found


def main() -> int:
    FOLDER.mkdir(parents=True, exist_ok=True)
    locked, known_bad = FOLDER / "locked.txt", FOLDER / "known-bad.txt"
    export = [
        ".uv/bin/uv",
        "export",
        "--quiet",
        "--locked",
        "--no-dev",
        "--no-emit-project",
        "--all-extras",
        "-o",
        str(locked),
    ]
    subprocess.run(export, check=True, stdout=subprocess.DEVNULL)
    known_bad.write_text(KNOWN_BAD + "\n", encoding="utf-8")
    code, said = verdict(ask(locked, "--require-hashes"), ask(known_bad, "--no-deps"))
    print("\n".join(said))
    return code


if __name__ == "__main__":
    sys.exit(main())
