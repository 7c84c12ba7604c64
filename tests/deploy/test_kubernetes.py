"""The manifests for Kubernetes, as far as a machine without a cluster can check them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from koinonia.config import secret_files, variables
from tests.support.running_system import ROOT

pytestmark = pytest.mark.any_database

FOLDER = ROOT / "deploy" / "kubernetes"
OBJECTS: list[dict[str, Any]] = [
    found
    for path in sorted(FOLDER.glob("*.yaml"))
    for found in yaml.safe_load_all(path.read_text())
]
SETTINGS = next(one for one in OBJECTS if one["kind"] == "ConfigMap")["data"]
PODS = {
    one["metadata"]["name"]: one["spec"]["template"]
    for one in OBJECTS
    if one["kind"] in {"Deployment", "Job"}
}


def test_the_manifests_fit_the_schema_of_kubernetes() -> None:
    schemas = pytest.importorskip(
        "kubernetes_validate", reason="kubernetes-validate is not installed."
    )
    for one in OBJECTS:
        schemas.validate(one, "1.31", strict=True)


def test_the_objects_are_complete() -> None:
    found = sorted((one["kind"], one["metadata"]["name"]) for one in OBJECTS)
    assert found == [
        ("ConfigMap", "koinonia"),
        ("Deployment", "koinonia-web"),
        ("Deployment", "koinonia-worker"),
        ("Job", "koinonia-migrate"),
        ("Job", "koinonia-migrate-pre"),
        ("PodDisruptionBudget", "koinonia-web"),
        ("PodDisruptionBudget", "koinonia-worker"),
        ("Service", "koinonia-web"),
    ]


def test_the_settings_are_known_and_hold_no_secret() -> None:
    assert set(SETTINGS) - variables.names() == set()
    assert set(SETTINGS) & {"SECRET_KEY", "DATABASE_URL", "REDIS_URL", "TELNYX_API_KEY"} == set()
    files = {name for name in SETTINGS if name.endswith("_FILE")}
    assert {name.removesuffix("_FILE") for name in files} <= set(secret_files.NAMES)


@pytest.mark.parametrize("name", PODS)
def test_each_pod_is_confined_and_reads_its_secrets_from_files(name: str) -> None:
    spec = PODS[name]["spec"]
    container = spec["containers"][0]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert set(mounts) == {volume["name"] for volume in spec["volumes"]}
    paths = [value for key, value in SETTINGS.items() if key.endswith("_FILE")]
    assert all(path.startswith(f"{mounts['secrets']}/") for path in paths)
    if "command" in container:
        assert container["command"][:2] == ["python", "manage.py"]
        assert container["command"][2] in get_commands()


def test_liveness_asks_the_process_alone() -> None:
    web = PODS["koinonia-web"]["spec"]["containers"][0]
    assert web["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert web["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_one_job_for_each_phase_of_the_migrations() -> None:
    commands = {
        name: PODS[name]["spec"]["containers"][0]["command"][2:]
        for name in ("koinonia-migrate-pre", "koinonia-migrate")
    }
    assert commands == {
        "koinonia-migrate-pre": ["migrate", "--pre", "--noinput"],
        "koinonia-migrate": ["migrate", "--noinput"],
    }


def test_services_and_budgets_select_the_pods() -> None:
    labels = [pod["metadata"]["labels"] for pod in PODS.values()]
    for one in OBJECTS:
        selector = one.get("spec", {}).get("selector")
        if selector:
            wanted = selector.get("matchLabels", selector)
            assert any(wanted.items() <= given.items() for given in labels), one["metadata"]
