"""Reads the files of content/ into what the domain knows, and collects every problem on the way."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from bot.domain.problems import Problem

Model = TypeVar("Model", bound=BaseModel)
DEEPEST = 30  # lists and mappings inside one another
LARGEST = 2_000_000  # bytes of one file: twenty times what the longest has


class UniqueKeyLoader(yaml.CSafeLoader):
    """Safe YAML in which a key that stands twice is an error instead of a silent loss."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"“{key.value}” stands twice", node.start_mark)
            seen.add(key.value if isinstance(key, yaml.ScalarNode) else id(key))
        return super().construct_mapping(node, deep)


def read_yaml(text: str) -> Any:
    """Raises yaml.YAMLError, also for what would fill the memory (aliases) or bring the parser down (endless nesting)."""
    depth = 0
    for event in yaml.parse(text, yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise yaml.constructor.ConstructorError(None, None, "too many levels inside one another", event.start_mark)
        if isinstance(event, yaml.AliasEvent):
            raise yaml.constructor.ConstructorError(None, None, "please write it out instead of using *", event.start_mark)
    try:
        return yaml.load(text, UniqueKeyLoader)
    except (ValueError, AttributeError, TypeError) as error:  # a day that does not exist, a number that is none
        raise yaml.YAMLError(f"there is a date or a number that can't be read: {error}") from error


def is_inside(root: Path, file: Path) -> bool:
    """Does the file lie in the content folder, followed through all links? What lies elsewhere is never read, nor quoted."""
    try:
        return file.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):  # links in a circle
        return False


@dataclass
class Reader:
    """`root` is the content folder; `problems` fills up while reading."""

    root: Path
    problems: list[Problem] = field(default_factory=list)

    def file(self, path: str) -> Any:
        """The parsed YAML of one file; None, and a problem, when it can't be read."""
        text = self._text(path)
        if text is None:
            return None
        try:
            return read_yaml(text)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            place = f"line {mark.line + 1}" if mark else ""
            self.problems.append(Problem(path, place, f"not readable as YAML: {getattr(error, 'problem', error)}"))
        return None

    def _text(self, path: str) -> str | None:
        where = self.root / path
        sentence = ""
        if not is_inside(self.root, where):
            sentence = "leads to a file outside the content folder; please put the file itself here"
        elif not where.is_file():
            sentence = "this file is missing"
        elif where.stat().st_size > LARGEST:
            sentence = f"is larger than {LARGEST // 1_000_000} MB; please make several files of it"
        else:
            try:
                return where.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                sentence = "not readable: please save the file as UTF-8"
        self.problems.append(Problem(path, "", sentence))
        return None

    def mapping(self, path: str) -> dict[str, Any]:
        """The file's names and what stands below each; {} and a problem for everything else."""
        content = self.file(path)
        if isinstance(content, dict):
            return content
        if not self.problems or self.problems[-1].file != path:
            self.problems.append(Problem(path, "", "should have lines like `name:` with values below"))
        return {}

    def items(self, path: str, content: Any) -> list[dict[str, Any]]:
        """The entries of a list of `- name: value`; what is no such entry is left out, with a problem."""
        entries = content if isinstance(content, list) else [content]
        for number, entry in enumerate(entries, 1):
            if not isinstance(entry, dict):
                self.problems.append(Problem(path, f"entry {number}", "should be lines like `- name: value`"))
        return [entry for entry in entries if isinstance(entry, dict)]

    def files(self, folder: str) -> Iterator[tuple[str, Any]]:
        """(path from the content folder, parsed YAML) of each file below `folder`, in order of name."""
        for where in sorted((self.root / folder).rglob("*.yaml")):
            path = where.relative_to(self.root).as_posix()
            content = self.file(path)
            if content is not None:
                yield path, content

    def model(self, kind: type[Model], path: str, place: str, values: Any) -> Model | None:
        """`values` as a `kind`; None, and one problem for each field, when they don't fit."""
        try:
            return kind.model_validate(values)
        except ValidationError as error:
            for detail in error.errors():
                field_name = ".".join(str(part) for part in detail["loc"])
                name = " ".join(part for part in (place, field_name) if part)
                self.problems.append(Problem(path, name, _in_words(detail)))
        return None

    def models(self, kind: type[Model], folder: str, identity: Callable[[str], dict[str, str]]) -> dict[str, Model]:
        """One model a file; `identity` makes its id from the path without ending, e.g. {"slug": "cook"}."""
        found: dict[str, Model] = {}
        for path, values in self.files(folder):
            name = path.removesuffix(".yaml").removeprefix(folder + "/")
            if not isinstance(values, dict):
                self.problems.append(Problem(path, "", "should have lines like `title: …`"))
            elif model := self.model(kind, path, "", values | identity(name)):
                found[name] = model
        return found

    def named(self, kind: type[Model], path: str, values: Any) -> dict[str, Model]:
        """Several models in one file: `id: {…}`."""
        found: dict[str, Model] = {}
        if not isinstance(values, dict):
            self.problems.append(Problem(path, "", "should have lines like `id:` with values below"))
            return found
        for name, value in values.items():
            more = {"id": name} if "id" in kind.model_fields else {}
            if isinstance(value, dict) and (model := self.model(kind, path, str(name), value | more)):
                found[str(name)] = model
            elif not isinstance(value, dict):
                self.problems.append(Problem(path, str(name), "should have values below it"))
        return found

    def named_in(self, kind: type[Model], folder: str) -> dict[str, Model]:
        found: dict[str, Model] = {}
        for path, values in self.files(folder):
            for name, model in self.named(kind, path, values).items():
                if name in found:
                    self.problems.append(Problem(path, name, "stands in another file of this folder too"))
                found[name] = model
        return found

    def table(self, kind: type[Model], path: str) -> list[Model]:
        lines = io.StringIO(self._text(path) or "", newline="")
        rows = [self.model(kind, path, f"line {number}", row) for number, row in enumerate(csv.DictReader(lines), 2)]
        return [row for row in rows if row is not None]


def _in_words(detail: Any) -> str:
    kind, value = detail["type"], detail.get("input")
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return "is not a word that this file knows; please check the spelling"
    if kind == "literal_error":
        return f"“{value}” is not one of {detail['ctx']['expected']}"
    return f"{detail['msg'][0].lower()}{detail['msg'][1:]} (found: {str(value)[:60]!r})"
