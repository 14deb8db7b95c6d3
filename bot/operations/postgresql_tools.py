"""PostgreSQL's own pg_dump, pg_restore and psql. Passwords travel in the environment, where `ps` does not show them."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import BinaryIO

from sqlalchemy.engine import URL, make_url

from bot.operations.faults import BackupProblem

INSTALL = "Install PostgreSQL's client tools, at least as new as the server (Debian: apt-get install postgresql-client)"
EMPTY_IT = """DO $$ DECLARE each record; BEGIN
FOR each IN SELECT format('DROP TABLE IF EXISTS %I.%I CASCADE', schemaname, tablename) AS command
    FROM pg_tables WHERE schemaname = 'public' LOOP EXECUTE each.command; END LOOP;
FOR each IN SELECT format('DROP FUNCTION IF EXISTS %s CASCADE', p.oid::regprocedure) AS command FROM pg_proc p
    WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e') LOOP EXECUTE each.command; END LOOP;
END $$"""


def dump(url: str, file: Path) -> None:
    """Into a file of its own."""
    with file.open("wb") as out:
        dump_to(url, out)


def dump_to(url: str, out: BinaryIO) -> None:
    """The whole database in PostgreSQL's compressed format, as of one moment."""
    _run("pg_dump", _where(url), "--format=custom", "--no-owner", "--no-privileges", url=url, out=out.fileno())


def revision_in(file: Path) -> str:
    """The schema's revision that the dump holds; "" when it is no dump of Trellis."""
    rows = _run("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(file))
    found = re.search(r"^COPY public\.alembic_version .*?;\n(\S+)$", rows, re.MULTILINE)
    return found[1] if found else ""


def load(url: str, file: Path) -> None:
    """Put the dump in the place of what is in the database: all of it or, when anything fails, nothing."""
    with tempfile.TemporaryDirectory(prefix="trellis-restore-", dir=file.parent) as folder:
        sql = str(Path(folder) / "dump.sql")
        _run("pg_restore", "--no-owner", "--no-privileges", f"--file={sql}", str(file))
        whole = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null")
        _run("psql", _where(url), *whole, f"--command={EMPTY_IT}", f"--file={sql}", url=url)


def _where(url: str) -> str:
    plain: URL = make_url(url)._replace(drivername="postgresql", password=None)
    return f"--dbname={plain.render_as_string(hide_password=False)}"


def _run(tool: str, *arguments: str, url: str = "", out: int = subprocess.PIPE) -> str:
    """What the tool printed. Raises BackupProblem with the tool's own first word about what went wrong."""
    path = shutil.which(tool)
    if path is None:
        raise BackupProblem(f"{tool} is not on the PATH. {INSTALL}.")
    password = {"PGPASSWORD": str(make_url(url).password)} if url and make_url(url).password else {}
    done = subprocess.run([path, *arguments], env=os.environ | password, stdout=out, stderr=subprocess.PIPE, check=False)
    if done.returncode:
        said = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        why = next((line for line in said if "error" in line.lower()), said[0] if said else "no reason given")
        hint = f" {INSTALL}." if "server version" in why or "version mismatch" in "".join(said) else ""
        raise BackupProblem(f"{tool} failed: {why}.{hint}")
    return (done.stdout or b"").decode("utf-8", "replace")
