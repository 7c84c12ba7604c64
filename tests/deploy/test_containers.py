"""The image and the compose file, as far as a machine without a container engine can check them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from koinonia.config import variables
from tests.support.running_system import ROOT

pytestmark = pytest.mark.any_database

DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OWN = {name: service for name, service in SERVICES.items() if service["image"] == "koinonia"}
MADE_BY_THE_OPERATOR = "./secrets/"


def test_the_system_is_complete() -> None:
    assert set(SERVICES) == {
        "postgresql", "valkey", "migrate-pre", "migrate", "web1", "web2", "worker", "nginx", "prometheus", "grafana",
    }  # fmt: skip


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_names_what_the_file_declares(name: str) -> None:
    service = SERVICES[name]
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    assert set(service.get("networks", [])) <= set(COMPOSE["networks"])
    assert set(service.get("depends_on", [])) <= set(SERVICES)
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        if source.startswith(MADE_BY_THE_OPERATOR):
            continue
        if source.startswith("./"):
            assert (DEPLOY / source).exists(), source
        else:
            assert source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", OWN)
def test_our_services_use_known_variables_and_are_confined(name: str) -> None:
    service = OWN[name]
    assert set(service["environment"]) - variables.names() == set()
    secret_paths = [value for key, value in service["environment"].items() if key.endswith("_FILE")]
    assert {f"/run/secrets/{secret}" for secret in service["secrets"]} == set(secret_paths)
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])


@pytest.mark.parametrize("name", ["migrate-pre", "migrate", "worker"])
def test_the_commands_of_our_services_exist(name: str) -> None:
    command = OWN[name]["command"]
    assert command[:2] == ["python", "manage.py"]
    assert command[2] in get_commands()


def test_the_containers_of_the_release_before_survive_the_migration_at_the_start() -> None:
    assert "--pre" in OWN["migrate-pre"]["command"]
    assert all("migrate-pre" in OWN[name]["depends_on"] for name in ("web1", "web2", "worker"))
    # The second phase waits for a person.
    assert (OWN["migrate"]["profiles"], "--pre" in OWN["migrate"]["command"]) == (
        ["migrate"],
        False,
    )


def test_prometheus_asks_each_process_and_knows_the_rules() -> None:
    configuration = yaml.safe_load((DEPLOY / "compose" / "prometheus.yml").read_text())
    ours = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    jobs = [job["job_name"] for job in configuration["scrape_configs"]]
    assert jobs == [job["job_name"] for job in ours["scrape_configs"]]
    [workers] = configuration["scrape_configs"][1]["dns_sd_configs"]
    assert workers["names"] == ["worker"]
    assert OWN["worker"]["environment"]["WORKER_METRICS"] == f"0.0.0.0:{workers['port']}"
    # The rule file stands beside the configuration, in the container too.
    places = dict(volume.split(":")[:2] for volume in SERVICES["prometheus"]["volumes"])
    [rules] = configuration["rule_files"]
    assert places[f"./prometheus/{rules}"] == f"/etc/prometheus/{rules}"


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    volumes = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    source, provider = (
        yaml.safe_load((DEPLOY / "compose" / "grafana" / name).read_text())
        for name in ("datasource.yml", "dashboards.yml")
    )
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
    assert provider["providers"][0]["options"]["path"] == volumes["./grafana"]
    assert [path.name for path in (DEPLOY / "grafana").iterdir()] == ["koinonia.json"]


def test_redis_never_evicts_and_no_database_is_open_to_the_outside() -> None:
    assert SERVICES["valkey"]["command"][-1] == "noeviction"
    open_to_all = {name for name, service in SERVICES.items() if service.get("ports")}
    assert open_to_all == {"nginx", "grafana"}
    assert SERVICES["grafana"]["ports"] == ["127.0.0.1:3000:3000"]


def test_nginx_of_the_containers_differs_in_the_web_processes_alone() -> None:
    ours, theirs = (
        {*(DEPLOY / path).read_text().splitlines()} for path in ("nginx.conf", "compose/nginx.conf")
    )
    assert all("server web" in line for line in theirs - ours)
    assert all("web process" in line for line in ours - theirs)
    assert len(theirs - ours) == 2


def test_the_image_copies_what_exists_and_runs_as_a_user_without_rights() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = [
        source
        for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
        for source in sources.split()
    ]
    assert {"manage.py", "requirements.txt", "koinonia", "delivery"} <= set(copied)
    assert [source for source in copied if not (ROOT / source).exists()] == []
    sent = set((DEPLOY / "Dockerfile.dockerignore").read_text().splitlines())
    assert {f"!{source}" for source in copied} <= sent
    assert "\nUSER koinonia\n" in text
    assert "koinonia.asgi:application" in text


def test_each_python_package_of_the_project_is_in_the_image() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    packages = {Path(module).parent.name for module in map(str, ROOT.glob("*/apps.py"))}
    assert all(f"COPY {package} {package}" in text for package in packages)
