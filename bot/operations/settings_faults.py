"""What is wrong with a setting, or with the database that one names: a sentence each, for `trellis` itself and for the doctor."""

from importlib.util import find_spec

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, OperationalError

from bot.config import Settings
from bot.operations.faults import kind_of

OF_THE_BOX, OF_OTHERS = ("minilm", "use"), ("fastembed", "sentence-transformers")
HOW_A_DATABASE_IS_NAMED = (
    "Write sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/NAME (DATABASE_URL in .env.example)."
)
GIVE_IT = "Give the user that runs Trellis the file and its folder (chown): SQLite writes beside the file, too."
# What SQLite's code, or PostgreSQL's sentence, asks for.
OF_SQLITE = {
    "SQLITE_READONLY": ("can't be written to", GIVE_IT),
    "SQLITE_CANTOPEN": ("can't be opened or made", GIVE_IT),
    "SQLITE_PERM": ("can't be opened", GIVE_IT),
    "SQLITE_NOTADB": ("is no SQLite database", "Look at DATABASE_URL; restore a backup if it was one."),
    "SQLITE_CORRUPT": ("is damaged", "Restore a backup (docs/operations.md)."),
    "SQLITE_FULL": ("can't grow: the disk is full", "Make room."),
    "SQLITE_BUSY": ("is held by another program", "End whatever else works on the file."),
}
OF_POSTGRESQL = {
    "database": "Make it (createdb, docs/postgresql.md), or mend the name in DATABASE_URL.",
    "password": "Mend user and password in DATABASE_URL.",
    "role": "Mend user and password in DATABASE_URL.",
}


def sentence_about(error: Exception, settings: Settings) -> str:
    """Why a command could not do its work, and what to do; "" for an error that no setting explains."""
    if isinstance(error, ArgumentError | ImportError) and (problem := problem_with_database(settings.database_url)):
        return f"{problem} {HOW_A_DATABASE_IS_NAMED}"
    if isinstance(error, ValueError | ImportError) and (problem := problem_with_encoders(settings.encoders)):
        return problem
    if isinstance(error, OperationalError):
        return " ".join(trouble_with_database(settings.database_url, error))
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}. Is it there, and may the user that runs Trellis use it?"
    return ""


def problem_with_database(url: str) -> str:
    """What makes it no address that Trellis can use; "" when nothing does."""
    try:
        address = make_url(url)
    except ArgumentError:
        return "DATABASE_URL is no address of a database."
    if address.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        return f"DATABASE_URL begins with {address.drivername}://, which Trellis can't use."
    return ""


def problem_with_encoders(names: str) -> str:
    """The first encoder that does not exist or whose library is missing; "" when all are there."""
    for name in (each.strip() for each in names.split(",") if each.strip()):
        library, _, model = name.partition(":")
        if name not in OF_THE_BOX and not (library in OF_OTHERS and model):
            return f"ENCODERS: “{name}” is not an encoder. Take {' or '.join(OF_THE_BOX)}; others stand in docs/matching.md."
        if name not in OF_THE_BOX and find_spec(library.replace("-", "_")) is None:
            return f"ENCODERS: “{name}” needs the library {library}: pip install {library}."
    return ""


def trouble_with_database(url: str, error: Exception) -> tuple[str, str]:
    """What is the matter with a database that should be there, and how to mend it."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        code = kind_of(error).partition(": ")[2]
        for known, (says, mend) in OF_SQLITE.items():
            if code.startswith(known):
                return f"The database {address.database} {says} ({code}).", mend
        return f"The database {address.database} can't be used ({kind_of(error)}).", "Is it a file of Trellis?"
    return f"{shown(address)} does not answer: {said_by_driver(error)}", _mend_connection(error)


def shown(address: URL) -> str:
    return address.render_as_string(hide_password=True)


def said_by_driver(error: Exception) -> str:
    """The driver's first line where no connection came about: nobody's words can be in it. Else the kind of error."""
    inner = getattr(error, "orig", None)
    lines = str(inner).strip().splitlines() if inner and getattr(inner, "sqlstate", None) is None else []
    return lines[0] if lines else kind_of(error)


def _mend_connection(error: Exception) -> str:
    said = said_by_driver(error)
    if "does not exist" in said or "password" in said:
        return next((mend for word, mend in OF_POSTGRESQL.items() if f"{word} " in said), OF_POSTGRESQL["password"])
    return "Is it running, and do host and port in DATABASE_URL fit?"
