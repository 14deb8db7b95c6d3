"""What an operator is given to run Trellis with fits the program that it runs."""

import csv
import json
import re
import shutil
import subprocess
import sys
import threading
import tomllib
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import distribution, packages_distributions
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from slack_sdk import WebClient

from bot.commands import COMMANDS, parser
from bot.config import Settings

DOCS, UNIT = Path("docs/deployment.md"), Path("deploy/trellis.service")
ALERTS = Path("deploy/prometheus-rules.yaml")
FROM_ENV_FILE = {"MODEL_DIR", "CONSOLE_HOST", "OPERATIONS_HOST"}  # .env.example sets them for a machine, not for a container


def test_every_setting_is_in_the_operators_table_and_in_the_example_file():
    table, example = DOCS.read_text(), Path(".env.example").read_text()
    settings = {name.upper() for name in Settings.model_fields}
    assert not {name for name in settings if f"`{name}`" not in table}
    assert not {name for name in settings if not re.search(rf"^{name}=", example, re.MULTILINE)}


def test_the_image_runs_without_root_and_holds_only_what_it_needs():
    lines = Path("Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("USER")][-1] == "USER 10001:10001"
    copied = {part for line in lines if line.startswith("COPY ") and "--from" not in line for part in line.split()[1:-1]}
    allowed = {line[1:] for line in Path(".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert copied == allowed
    assert all(Path(name).exists() for name in copied)


def test_compose_keeps_the_file_system_closed_and_takes_the_password_from_outside():
    services = yaml.safe_load(Path("deploy/compose.yaml").read_text())["services"]
    trellis = services["trellis"]
    assert trellis["read_only"]
    assert trellis["cap_drop"] == ["ALL"]
    assert trellis["environment"].keys() >= FROM_ENV_FILE
    assert all(port.startswith("127.0.0.1:") for port in trellis["ports"])
    assert all("max-size" in each["logging"]["options"] for each in services.values())
    assert services["database"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


def test_the_kubernetes_example_asks_the_probes_that_exist_and_gives_no_privileges():
    parts = {part["kind"]: part for part in yaml.safe_load_all(Path("deploy/kubernetes.yaml").read_text())}
    pod = parts["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    probes = {container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
    served = Path("bot/operations/server.py").read_text()
    assert all(f'"{path.partition("?")[0]}"' in served for path in probes)
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz?for=traffic", (
        "a backlog must not close all doors at once"
    )
    assert pod["enableServiceLinks"] is False, "a Service named console would set CONSOLE_PORT"
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert {each["name"] for each in container["env"]} >= FROM_ENV_FILE
    assert "PodDisruptionBudget" in parts


def test_the_alerts_are_those_of_the_operators_table_and_ask_for_metrics_that_exist():
    (group,) = yaml.safe_load(ALERTS.read_text())["groups"]
    table = [line.split(" | ")[-1] for line in Path("docs/operations.md").read_text().splitlines() if line.startswith("| ")]
    alerts = {(rule["expr"], rule["for"]) for rule in group["rules"]}
    told = {
        (found[1], f"{found[2]}{found[3][0]}")
        for cell in table
        if (found := re.match(r"`([^`]+)` for (\d+) (min|h)\b", cell))
    }
    assert alerts == told
    served = Path("bot/operations/metrics.py").read_text()
    for name in {name for expr, _ in alerts for name in re.findall(r"trellis_\w+", expr)}:
        assert f'"{name.removesuffix("_bucket").removesuffix("_total")}' in served


def test_prometheus_itself_takes_the_alerts():
    if not shutil.which("promtool"):
        pytest.skip("promtool is not here")
    assert subprocess.run(["promtool", "check", "rules", str(ALERTS)], capture_output=True).returncode == 0


def test_the_nightly_backup_in_a_cluster_has_no_more_rights_than_trellis_itself():
    job = yaml.safe_load(Path("deploy/kubernetes-backup.yaml").read_text())
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    parts = {part["kind"]: part for part in yaml.safe_load_all(Path("deploy/kubernetes.yaml").read_text())}
    other = parts["Deployment"]["spec"]["template"]["spec"]
    for key in ("image", "envFrom", "securityContext"):
        assert pod["containers"][0][key] == other["containers"][0][key]
    assert pod["securityContext"].items() >= other["securityContext"].items()


def test_the_nightly_backup_gets_its_name_when_it_is_whole(tmp_path):
    unit = Path("deploy/trellis-backup.service").read_text()
    script = re.search(r"^ExecStart=/bin/sh -euc '(.+)'$", unit, re.MULTILINE)[1].replace("$$", "$").replace("%%", "%")
    for status, kept in ((1, [".part"]), (0, [".backup"])):
        folder = tmp_path / str(status)
        folder.mkdir()
        (folder / "admin").write_text(f"#!/bin/sh\necho kept\nexit {status}\n")
        (folder / "admin").chmod(0o755)
        here = script.replace("/var/backups/trellis", str(folder)).replace(
            "/usr/local/sbin/trellis-admin", str(folder / "admin")
        )
        assert subprocess.run(["sh", "-euc", here]).returncode == status
        assert [file.suffix for file in folder.glob("trellis-*")] == kept


def test_the_unit_runs_the_command_that_there_is():
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not here")
    units = [str(UNIT), "deploy/trellis-backup.service", "deploy/trellis-backup.timer"]
    found = subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True)
    wrong = [line for line in found.stderr.splitlines() if "trellis" in line and "not executable" not in line]
    assert not wrong


def test_the_operators_command_works_as_the_service_does(tmp_path):
    (tmp_path / "systemd-run").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "systemd-run").chmod(0o755)
    command = ["sh", "deploy/trellis-admin", "person", "export", "a b@x.example"]
    words = subprocess.run(
        command, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, capture_output=True, text=True
    ).stdout.splitlines()
    assert words[-4:] == ["/opt/trellis/.venv/bin/trellis", "person", "export", "a b@x.example"]
    unit = [line for line in UNIT.read_text().splitlines() if "=" in line and not line.startswith("#")]
    given = {word for flag, word in pairwise(words) if flag == "-p"}
    assert given <= set(unit)
    assert {"User=trellis", "WorkingDirectory=/opt/trellis", "EnvironmentFile=/etc/trellis.env"} <= given
    environment = next(line.removeprefix("Environment=") for line in unit if line.startswith("Environment="))
    assert [word for flag, word in pairwise(words) if flag == "-E"] == environment.split()


def test_the_settings_that_the_unit_has_do_not_come_along_from_the_example_file():
    left_out = re.search(r"^grep -vxE '(.+)' \.env \|", DOCS.read_text(), re.MULTILINE)
    copied = [line for line in Path(".env.example").read_text().splitlines() if not re.fullmatch(left_out[1], line)]
    assert not [line for line in copied if line.startswith(("DATABASE_URL=", "MODEL_DIR="))]
    assert not re.fullmatch(left_out[1], "DATABASE_URL=postgresql+psycopg://trellis:secret@db.example.org/trellis")


def test_what_was_learnt_while_the_image_was_made_can_be_read_by_the_images_user():
    learnt = next(line for line in Path("Dockerfile").read_text().splitlines() if "content check" in line)
    assert learnt.endswith("&& chmod -R a+rX /app/models")


def test_the_list_of_commands_does_not_wait_for_what_the_commands_need():
    heavy = ["scipy", "sklearn", "numpy", "networkx", "fastapi", "slack_bolt", "sqlalchemy", "onnxruntime"]
    asked = (
        f"import sys, bot.__main__; bot.__main__.parser().format_help(); print(sorted(set({heavy!r}) & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_of_the_list_explains_itself(name, capsys):
    with pytest.raises(SystemExit) as ended:
        parser().parse_args([name, "--help"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: trellis {name} ")


def test_what_an_installation_runs_was_compiled_when_it_was_set_up(tmp_path):
    said = subprocess.run(["make", "--dry-run", "--always-make", "setup"], capture_output=True, text=True).stdout
    assert "--compile-bytecode" in said
    assert "-m compileall -q bot storage" in said


def test_the_image_is_healthy_by_the_operations_port_that_is_set():
    check = Path("Dockerfile").read_text().partition("HEALTHCHECK")[2].partition("CMD ")[2].splitlines()[0]
    command = [sys.executable, *json.loads(check)[1:]]

    class Process(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/healthz" else 404)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Process) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        at = {"OPERATIONS_PORT": str(server.server_port)}
        assert subprocess.run(command, env=at, capture_output=True).returncode == 0
        server.shutdown()
    assert subprocess.run(command, env=at, capture_output=True).returncode != 0, "nobody answers there now"
    assert subprocess.run(command, env={"OPERATIONS_PORT": "0"}, capture_output=True).returncode == 0, "none is served"


def test_compose_is_told_where_the_password_stands_wherever_it_is_written_down():
    files = [*Path("docs").glob("*.md"), Path("README.md"), *Path("deploy").iterdir()]
    commands = [
        line for file in files for line in file.read_text().splitlines() if "docker compose" in line and " -f " in line
    ]
    assert commands
    assert all("--env-file .env -f deploy/compose.yaml" in line for line in commands)


def test_a_wrong_setting_is_not_tried_again_and_again():
    assert "RestartPreventExitStatus=2" in UNIT.read_text().splitlines()


def test_an_installation_is_tried_out_without_slack_as_the_operators_page_says(tmp_path):
    page = DOCS.read_text()
    people = page.partition("cat > people.yaml <<END\n")[2].partition("END\n")[0]
    (tmp_path / "people.yaml").write_text(people)
    options = re.search(r"-m bot\.localslack --people people\.yaml (.+?) +#", page)[1].split()
    command = [sys.executable, "-m", "bot.localslack", "--people", str(tmp_path / "people.yaml"), "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as slack:
        try:
            lines = [next(slack.stdout).strip() for _ in range(9)]
            given = dict(line.split("=", 1) for line in lines if "=" in line)
            assert {name.lower() for name in given} <= set(Settings.model_fields)
            client = WebClient(given["SLACK_BOT_TOKEN"], base_url=given["SLACK_API_URL"])
            assert client.auth_test()["team_id"] == "T0LOCAL"
            assert client.chat_postMessage(channel="C0COACHES", text="somebody asks for a person")["ok"]
        finally:
            slack.terminate()
    with Path("content/sample/roster.csv").open() as roster:
        addresses = {row["email"] for row in csv.DictReader(roster)}
    assert {each["email"] for each in yaml.safe_load(people)} <= addresses


def installed_by(requirements: list[str]) -> set[str]:
    """The names of the packages that come with these."""
    found: set[str] = set()
    open_ones = [(Requirement(each), "") for each in requirements]
    while open_ones:
        wanted, extra = open_ones.pop()
        if wanted.marker and not wanted.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(wanted.name)
        further = [(Requirement(each), more) for each in distribution(name).requires or () for more in (*wanted.extras, "")]
        open_ones += [each for each in further if name not in found or wanted.extras]
        found.add(name)
    return found


def test_the_command_starts_with_nothing_but_the_packages_that_an_installation_has():
    project = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours = installed_by(project["dependencies"]) | {"trellis"}
    missing = [
        module
        for module, packages in packages_distributions().items()
        if not ours & {canonicalize_name(each) for each in packages}
    ]
    assert {"psutil", "hypothesis", "procrastinate", "pip_audit", "playwright"} <= set(missing)
    without = f"import sys; sys.modules.update(dict.fromkeys({sorted(missing)!r}))"
    topics = ", ".join(sorted({f"bot.commands.{topic}" for topic, _ in COMMANDS.values()}))
    started = f"{without}; import {topics}, bot.running, bot.console.app"
    assert subprocess.run([sys.executable, "-c", started], capture_output=True, text=True).stderr == ""
