"""The trained matcher, kept on disk: learnt anew only when the content, the encoders or the code change."""

import ctypes
import hashlib
import io
import logging
import os
import signal
import tempfile
import warnings
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from threadpoolctl import threadpool_limits

from bot.domain import safety
from bot.domain.matching import Encoder, Example, Learnt, Matcher, Packed, Reader, Said, encode
from bot.domain.matching.keeping import Damaged, keep, restore

logger = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>
KEPT_FILES = 3  # the newest; older ones are removed


def trained_matcher(examples: Sequence[Example], encoders: Sequence[Encoder], reader: Reader, folder: Path) -> Matcher:
    """From `folder` when it was learnt before from exactly this; else learnt now (seconds) and kept there.

    A folder that can't be written to costs time at the next start, nothing else. Safe with several processes.
    """
    # One sentence's products are small, and learning shares the cores by itself: BLAS threads that wait for each other
    # cost ten times as much on a busy machine.
    threadpool_limits(1, user_api="blas")
    file = folder / f"matcher-{_key(examples, encoders, reader)}.npz"
    if (learnt := _read(file)) is None:
        kept = _learn(examples, encoders, reader, folder)
        _write(file, kept)
        learnt = restore(io.BytesIO(kept))
    _return_freed_memory()
    return Matcher(learnt, encoders, reader)


def _end_with_parent() -> None:
    """Who started this process may be killed meanwhile: then nobody waits for the result. On Linux; elsewhere nothing happens."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _return_freed_memory() -> None:
    """What loading has freed goes back to the system: 60 MB that glibc would keep. Elsewhere nothing happens."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def _key(examples: Sequence[Example], encoders: Sequence[Encoder], reader: Reader) -> str:
    """Names the examples in their order, how they are read, the encoders, and the code that reads and learns."""
    code = Path(safety.__file__).parent
    digest = hashlib.sha256(f"{np.__version__} {reader.name}".encode())
    for source in sorted([*(code / "matching").glob("*.py"), code / "safety.py", code / "role_mentions.py"]):
        digest.update(source.read_bytes())
    digest.update(repr([encoder.name for encoder in encoders]).encode())
    digest.update(repr([(example.text, example.card) for example in examples]).encode())
    return f"{_family(encoders)}-{digest.hexdigest()[:16]}"


def _family(encoders: Sequence[Encoder]) -> str:
    return hashlib.sha256(repr([encoder.name for encoder in encoders]).encode()).hexdigest()[:8]


def _learn(examples: Sequence[Example], encoders: Sequence[Encoder], reader: Reader, folder: Path) -> bytes:
    """What `keep` makes of it. A process of its own learns: what that takes in memory is gone with it."""
    known = _known_vectors(encoders, folder)
    said = [reader.read(example.text) for example in examples]
    texts = [each.text for each in said]
    new = [text for text in dict.fromkeys(texts) if text not in known]
    logger.info("learning from %d utterances, %d of them new", len(texts), len(new))
    if new:
        cores = min(os.cpu_count() or 1, len(new))
        shares = [new[start::cores] for start in range(cores)]
        with ThreadPoolExecutor(cores) as pool:  # what takes long lets go of Python's lock
            for share, vectors in zip(shares, pool.map(partial(encode, encoders), shares), strict=True):
                known.update(zip(share, vectors, strict=True))
    packed = Packed.of(np.array([known[text] for text in texts], dtype=np.float32))
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_learn_alone, examples, said, packed).result()


def _learn_alone(examples: Sequence[Example], said: Sequence[Said], packed: Packed) -> bytes:
    from bot.domain.matching.training import learn  # brings scikit-learn: only who learns pays for it

    _end_with_parent()
    threadpool_limits(1, user_api="blas")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="lbfgs failed to converge")  # it has so many steps and no more
        return keep(learn(examples, said, packed))


def _known_vectors(encoders: Sequence[Encoder], folder: Path) -> dict[str, np.ndarray]:
    """Vectors of utterances that the last kept matcher had: after a small change of content only a few are new."""
    latest = _kept(folder, f"matcher-{_family(encoders)}-*.npz")
    learnt = _read(latest[0]) if latest else None
    return dict(zip(learnt.said, learnt.vectors.unpacked(), strict=True)) if learnt else {}


def _read(file: Path) -> Learnt | None:
    try:
        with file.open("rb") as kept:
            return restore(kept)
    except FileNotFoundError:
        return None
    except (OSError, Damaged, ValueError, KeyError, BadZipFile) as error:
        logger.warning("%s can't be used (%s): learning anew", file, error)
        return None


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, prefix="new-", delete=False) as new:
            new.write(content)
        os.chmod(new.name, 0o644)  # made by one user, read by another, as in an image; there is nothing private in it
        os.replace(new.name, file)
        for old in _kept(file.parent, "matcher-*.npz")[KEPT_FILES:]:
            old.unlink(missing_ok=True)
    except OSError as error:
        logger.warning("the trained matcher could not be kept: %s", error)


def _kept(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern), key=lambda file: file.stat().st_mtime, reverse=True)
