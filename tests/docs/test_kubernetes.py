"""The Kubernetes manifests: valid by the published schemas, and sound in what they say."""

from typing import Any

import kubernetes_validate
import pytest
import yaml

from rrcli.settings import Settings, keys
from tests.docs.markdown import ROOT

FOLDER = ROOT / "config" / "kubernetes"
DAEMONS = ("prequeuer", "dispatcher", "worker")


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")))


KUSTOMIZATION = documents("kustomization.yaml")[0]
ALL = [document for name in KUSTOMIZATION["resources"] for document in documents(name)]
NAMED = {(each["kind"], each["metadata"]["name"]): each for each in ALL}


def deployment(name: str) -> dict[str, Any]:
    return NAMED["Deployment", f"rrule-scheduler-{name}"]


def container(name: str) -> dict[str, Any]:
    found: dict[str, Any] = deployment(name)["spec"]["template"]["spec"]["containers"][0]
    return found


@pytest.mark.parametrize("document", ALL, ids=lambda each: f"{each['kind']} {each['metadata']['name']}")
def test_the_schema_accepts_each_resource_and_knows_every_field(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, kubernetes_validate.latest_version(), strict=True)


def test_every_file_is_applied() -> None:
    assert {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml"} == set(
        KUSTOMIZATION["resources"]
    )


def test_every_program_runs_and_selects_its_own_pods() -> None:
    for name in ("api", *DAEMONS):
        spec = deployment(name)["spec"]
        assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
        assert NAMED["PodDisruptionBudget", f"rrule-scheduler-{name}"]["spec"]["selector"] == spec["selector"]
        assert container(name)["args"] == (["api"] if name == "api" else ["daemon", name])
        assert spec["replicas"] >= 2


def test_settings_have_the_names_that_the_program_knows() -> None:
    known = {key.env for key in keys()}
    assert set(NAMED["ConfigMap", "rrule-scheduler"]["data"]) <= known


def test_prometheus_looks_for_the_labels_and_ports_that_pods_have() -> None:
    jobs = yaml.safe_load((ROOT / "config/prometheus/scrape-kubernetes.yaml").read_text(encoding="utf-8"))
    asked = {job["job_name"]: [rule["regex"] for rule in job["relabel_configs"]] for job in jobs}
    for name in ("api", *DAEMONS):
        label = deployment(name)["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"]
        (port,) = (each["name"] for each in container(name)["ports"])
        assert [label, port] == asked["rrule-scheduler-api" if name == "api" else "rrule-scheduler-daemons"]


def test_a_stopping_worker_is_given_longer_than_it_gives_its_calls() -> None:
    seconds = deployment("worker")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert seconds > Settings().worker.grace_seconds


def test_a_store_that_is_away_restarts_no_daemon() -> None:
    for name in DAEMONS:
        assert "livenessProbe" not in container(name)
        assert container(name)["readinessProbe"]["exec"]["command"][-1] == name


def test_nothing_runs_with_more_rights_than_it_needs() -> None:
    for document in ALL:
        spec = document.get("spec", {}).get("template", {}).get("spec")
        if spec is None:
            continue
        assert spec["securityContext"]["runAsNonRoot"]
        assert spec["automountServiceAccountToken"] is False
        for each in spec["containers"]:
            assert each["securityContext"]["readOnlyRootFilesystem"]
            assert each["securityContext"]["allowPrivilegeEscalation"] is False
            assert each["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert each["resources"]["limits"]["memory"]
