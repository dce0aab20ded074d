"""The Kubernetes template fits Kubernetes' schemas, itself, and the program that it runs. No cluster is needed."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import kubernetes_validate
import pytest
import pytest_asyncio

from bridges import __main__ as bridges
from scripts.broker import server_binary
from scripts.broker_probe import addresses
from scripts.deploy import broker, secrets
from tests import kustomize
from tests.bridges.observed import message, until
from tests.e2e.processes import ROOT, Part
from tests.e2e.processes import until as until_answered
from tests.e2e.starting import free_port
from userstats import catalogue, settings
from userstats.answer import Answers
from userstats.contract import http, wire
from userstats.contract.broker import ROLES, BrokerRefused, NatsSettings, Role, connect
from userstats.contract.config import load
from userstats.contract.events import MessageSent, Named, Place
from userstats.contract.stream import StreamSettings
from userstats.surfaces.http import HttpSurface

DEPLOY: Final = ROOT / "scripts" / "deploy"
BASE: Final = DEPLOY / "kubernetes" / "base"
CONFIG: Final = BASE / "config.json"
EVERYTHING: Final = kustomize.assembled(DEPLOY / "kubernetes" / "example")
USER: Final = 10001
AMY: Final = 2**60


def named(resource: kustomize.Resource) -> str:
    return f"{resource['kind']}/{resource['metadata']['name']}"


def of_kind(kind: str) -> dict[str, kustomize.Resource]:
    return {one["metadata"]["name"]: one for one in EVERYTHING if one["kind"] == kind}


WORKLOADS: Final = {named(one): one for one in EVERYTHING if kustomize.pod(one)}
CONTAINERS: Final = {
    f"{name} {container['name']}": (workload, container)
    for name, workload in WORKLOADS.items()
    for container in kustomize.containers(workload)
}
OURS: Final = [name for name, (_, one) in CONTAINERS.items() if one["image"].startswith("registry.example/userstats:")]
every_container = pytest.mark.parametrize("name", CONTAINERS)
every_workload = pytest.mark.parametrize("name", WORKLOADS)


def said(container: kustomize.Resource, values: Mapping[str, str]) -> dict[str, str]:
    """The environment of a container, where secrets have these values."""
    return {
        one["name"]: one["value"] if "value" in one else values[one["valueFrom"]["secretKeyRef"]["key"]]
        for one in container.get("env", ())
    }


# --- it is what Kubernetes takes


@pytest.mark.parametrize("version", ["1.29", kubernetes_validate.latest_version()])
@pytest.mark.parametrize("resource", EVERYTHING, ids=named)
def test_every_resource_fits_kubernetes_schema(resource: kustomize.Resource, version: str) -> None:
    kubernetes_validate.validate(resource, version, strict=True)


def test_a_resource_that_does_not_fit_would_be_noticed() -> None:
    wrong = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"}, "spec": {"port": 1}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, "1.29", strict=True)


def test_nothing_is_there_twice_and_everything_is_in_the_namespace() -> None:
    names = [named(one) for one in EVERYTHING]
    assert sorted(set(names)) == sorted(names)
    assert {one["metadata"].get("namespace") for one in EVERYTHING if one["kind"] != "Namespace"} == {"userstats"}
    assert list(of_kind("Namespace")) == ["userstats"]


# --- it fits itself


@every_workload
def test_a_workload_finds_its_own_pods_and_nobody_elses(name: str) -> None:
    spec = WORKLOADS[name]["spec"]
    labels = spec["template"]["metadata"]["labels"]
    assert (spec["replicas"], spec["selector"]["matchLabels"]) == (1, labels)
    assert [other for other, one in WORKLOADS.items() if one["spec"]["selector"]["matchLabels"] == labels] == [name]


@every_container
def test_every_secret_that_is_referred_to_exists_under_its_name(name: str) -> None:
    keys = {(secret, key) for secret, one in of_kind("Secret").items() for key in one["data"]}
    asked = [one["valueFrom"]["secretKeyRef"] for one in CONTAINERS[name][1].get("env", ()) if "valueFrom" in one]
    assert {(one["name"], one["key"]) for one in asked} - keys == set()


def test_every_secret_that_exists_is_somebodys() -> None:
    asked = {
        one["valueFrom"]["secretKeyRef"]["key"]
        for _, container in CONTAINERS.values()
        for one in container.get("env", ())
        if "valueFrom" in one
    }
    assert asked | {"NATS_PASSWORD_CLIENT"} == set(of_kind("Secret")["userstats-secrets"]["data"])


@every_container
def test_every_volume_is_there(name: str) -> None:
    workload, container = CONTAINERS[name]
    volumes = {one["name"]: one for one in (kustomize.pod(workload) or {})["volumes"]}
    claimed = {one["metadata"]["name"] for one in workload["spec"].get("volumeClaimTemplates", ())}
    assert {one["name"] for one in container["volumeMounts"]} <= set(volumes) | claimed
    maps = {one["configMap"]["name"] for one in volumes.values() if "configMap" in one}
    claims = {one["persistentVolumeClaim"]["claimName"] for one in volumes.values() if "persistentVolumeClaim" in one}
    assert (maps - set(of_kind("ConfigMap")), claims - set(of_kind("PersistentVolumeClaim"))) == (set(), set())


@pytest.mark.parametrize("name", of_kind("Service"))
def test_every_service_leads_to_ports_that_are_open(name: str) -> None:
    spec = of_kind("Service")[name]["spec"]
    (workload,) = (one for one in WORKLOADS.values() if one["spec"]["selector"]["matchLabels"] == spec["selector"])
    open_ports = {port["name"] for one in kustomize.containers(workload) for port in one.get("ports", ())}
    assert {port["targetPort"] for port in spec["ports"]} <= open_ports


def test_userstats_is_found_under_the_names_and_ports_that_others_use() -> None:
    ports = {name: [port["port"] for port in one["spec"]["ports"]] for name, one in of_kind("Service").items()}
    assert ports == {"broker": [4222], "userstats": [28282], "sqlite-service": [8080]}
    (server,) = map(urlsplit, load(CONFIG, {}).section("nats", NatsSettings).servers)
    environment = said(CONTAINERS["Deployment/bridge-discord bridge"][1], SECRET)
    service = urlsplit(environment["SQLITE_SERVICE_URL"])
    assert [server.port] == ports[server.hostname or ""]
    assert [service.port] == ports[service.hostname or ""]


def test_the_policies_let_in_whoever_needs_it_and_nobody_else() -> None:
    policies = of_kind("NetworkPolicy")
    assert policies["nobody-in"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress"]}
    (broker_in,) = policies["broker"]["spec"]["ingress"]
    (expression,) = broker_in["from"][0]["podSelector"]["matchExpressions"]
    with_password = {name.split()[0].partition("/")[2] for name in OURS if "NATS_PASSWORD" in said_names(name)}
    assert set(expression["values"]) == with_password
    (userstats_in,) = policies["userstats"]["spec"]["ingress"]
    over_http = {name.split()[0].partition("/")[2] for name in OURS if "SQLITE_SERVICE_URL" in said_names(name)}
    labels = [one["podSelector"]["matchLabels"] for one in userstats_in["from"] if "podSelector" in one]
    assert {one["app.kubernetes.io/name"] for one in labels if "app.kubernetes.io/name" in one} == over_http
    open_ports = {port["name"] for _, one in CONTAINERS.values() for port in one.get("ports", ())}
    assert {port["port"] for one in (broker_in, userstats_in) for port in one["ports"]} <= open_ports


def said_names(name: str) -> set[str]:
    return {one["name"] for one in CONTAINERS[name][1].get("env", ())}


# --- it is confined


@every_workload
def test_no_pod_is_root_or_may_ask_the_cluster(name: str) -> None:
    spec = kustomize.pod(WORKLOADS[name]) or {}
    assert (spec["automountServiceAccountToken"], spec["enableServiceLinks"]) == (False, False)
    assert spec["securityContext"] == {
        "runAsNonRoot": True, "runAsUser": USER, "runAsGroup": USER, "fsGroup": USER,
        "fsGroupChangePolicy": "OnRootMismatch", "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip


@every_container
def test_no_container_may_write_but_to_its_volumes_or_take_what_it_wants(name: str) -> None:
    container = CONTAINERS[name][1]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    assert set(container["resources"]["requests"]) == {"cpu", "memory"}
    assert "memory" in container["resources"]["limits"]
    assert not container["image"].endswith(":latest")
    assert ":" in container["image"]


def test_one_process_at_a_time_writes_to_a_volume() -> None:
    deployments = of_kind("Deployment").values()
    assert {one["spec"]["strategy"]["type"] for one in deployments} == {"Recreate"}
    claims = [volume["persistentVolumeClaim"]["claimName"] for one in deployments
              for volume in (kustomize.pod(one) or {})["volumes"] if "persistentVolumeClaim" in volume]  # fmt: skip
    assert sorted(set(claims)) == sorted(claims)


# --- it fits the program

SECRET: Final = dict.fromkeys((*broker.PASSWORDS, *secrets.MADE, *secrets.GIVEN), "pchange") | {
    "USERSTATS_PSEUDONYM_KEY": "ab" * 32,
    "USERSTATS_HTTP_TOKEN": "operators",
    "USERSTATS_SERVICE_TOKEN": "bridges",
}


@pytest.mark.parametrize("name", OURS)
def test_the_configuration_loads_in_every_container(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each reads what its program reads when it starts."""
    container = CONTAINERS[name][1]
    for variable, value in said(container, SECRET).items():
        monkeypatch.setenv(variable, value)
    config, folder = load(CONFIG), Path("/etc/userstats")
    reads: dict[str, Callable[[], object]] = {
        "userstats": lambda: settings.read(config, folder, catalogue.read()),
        "userstats-bridge": lambda: bridges._world(container["args"][0], config, folder),
        "python": lambda: config.section("stream", StreamSettings),
    }
    reads[container["command"][0]]()
    assert config.section("nats", NatsSettings).password == said(container, SECRET).get("NATS_PASSWORD", "")


def test_the_discord_bridge_goes_over_http_as_its_seed_does(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in said(CONTAINERS["Deployment/bridge-discord bridge"][1], SECRET).items():
        monkeypatch.setenv(variable, value)
    read = bridges._world("discord", load(CONFIG), Path("/etc/userstats")).settings
    assert (read.service_url, read.service_token) == ("http://sqlite-service:8080", "bridges")


def test_the_configuration_that_is_mounted_is_this_one() -> None:
    maps = of_kind("ConfigMap")
    assert maps["userstats-config"]["data"] == {"config.json": CONFIG.read_text()}
    assert maps["broker-config"]["data"] == {"nats-server.conf": broker.text()}


def test_what_is_written_is_written_to_the_volume() -> None:
    (userstats,) = (one for name, (_, one) in CONTAINERS.items() if name.endswith("userstats userstats"))
    config = load(CONFIG, said(userstats, SECRET))
    read = settings.read(config, Path("/etc/userstats"), catalogue.read())
    written = [read.database.path, read.pseudonyms.key_file, config.document["bridge"]["outbox_folder"]]
    mounts = {one["mountPath"] for one in userstats["volumeMounts"] if not one.get("readOnly")}
    assert [str(Path(one).parents[-2]) for one in written] == ["/data"] * 3
    assert mounts == {"/data", "/tmp"}
    assert (read.http.host, read.http.port) == ("0.0.0.0", userstats["ports"][0]["containerPort"])
    assert (read.http.token, read.http.events_token) == ("operators", "bridges")


def test_probes_ask_what_is_served() -> None:
    surface = HttpSurface(Answers.__new__(Answers), None, host="127.0.0.1", port=0, token="")  # type: ignore[arg-type]
    served = {route.resource.canonical for route in surface.application().router.routes() if route.resource}
    (userstats,) = (one for name, (_, one) in CONTAINERS.items() if name.endswith("userstats userstats"))
    probes = {kind: userstats[kind]["httpGet"] for kind in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {kind: one["path"] for kind, one in probes.items()} == {
        "startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz",
    }  # fmt: skip
    assert {one["path"] for one in probes.values()} <= served
    assert {one["port"] for one in probes.values()} == {userstats["ports"][0]["name"]}
    scraped = WORKLOADS["StatefulSet/userstats"]["spec"]["template"]["metadata"]["annotations"]
    assert scraped["prometheus.io/path"] in served
    assert int(scraped["prometheus.io/port"]) == userstats["ports"][0]["containerPort"]


@pytest.mark.parametrize("name", OURS)
def test_every_command_is_one_of_ours(name: str) -> None:
    container = CONTAINERS[name][1]
    installed = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    program, *words = container["command"]
    modules = {word for word in words if importlib.util.find_spec(word.lstrip("-")) and word != "-m"}
    assert program in installed or (program, words[:1], len(modules)) == ("python", ["-m"], 1)
    assert container["args"][-2:] == ["--config", "/etc/userstats/config.json"]
    assert [one["mountPath"] for one in container["volumeMounts"] if one.get("readOnly")] == ["/etc/userstats"]


# --- the image


def instructions() -> list[tuple[str, list[str]]]:
    """Those of the Dockerfile, with their words."""
    lines = re.sub(r"\\\n", " ", (DEPLOY / "Dockerfile").read_text()).splitlines()
    return [(line.split()[0], shlex.split(line)[1:]) for line in lines if line and not line.startswith("#")]


def test_the_image_runs_as_the_user_of_the_pods_and_has_all_it_needs() -> None:
    found = instructions()
    assert [words for verb, words in found if verb == "USER"] == [[f"{USER}:{USER}"]]
    copied = [word for verb, words in found if verb == "COPY" and "--from=build" not in words for word in words[:-1]]
    assert [word for word in copied if not (ROOT / word).exists()] == []
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert {f"!{word}" for word in copied} == {line for line in ignored if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert {project["readme"], *project["license-files"], "pyproject.toml"} <= set(copied)
    assert {words[0] for verb, words in found if verb == "FROM"} == {"python:3.13-slim"}
    assert {"discord", "postgres"} <= set(project["optional-dependencies"])


# --- the broker, with its real configuration


def test_secrets_are_made_for_everybody_and_the_example_has_none() -> None:
    made = dict(line.split("=", 1) for line in secrets.text(secrets.fresh).splitlines())
    example = dict(line.split("=", 1) for line in secrets.example().splitlines())
    assert made.keys() == example.keys() == of_kind("Secret")["userstats-secrets"]["data"].keys()
    assert {len(made[name]) for name in (*broker.PASSWORDS, *secrets.MADE)} == {65, 64}
    assert len({made[name] for name in (*broker.PASSWORDS, *secrets.MADE)}) == len(broker.PASSWORDS) + 3
    assert set(example.values()) == {"change-me", ""}


class Cluster:
    """A folder with the template's files, a nats-server that runs with them, and the secrets."""

    def __init__(self, folder: Path, port: int, monitor: str, made: Mapping[str, str]) -> None:
        self.folder = folder
        self.port = port
        self.monitor = monitor
        self.made = made

    def nats(self, variable: str) -> NatsSettings:
        """How whoever has this password reaches the broker."""
        environment = {"NATS_PASSWORD": self.made[variable]}
        return load(self.folder / "config.json", environment).section("nats", NatsSettings)


@pytest_asyncio.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    made = {name: secrets.fresh(name) for name in (*broker.PASSWORDS, *secrets.MADE)}
    conf = broker.conf(-1, -1, str(tmp_path / "streams")).replace("0.0.0.0", "127.0.0.1")
    (tmp_path / "nats-server.conf").write_text(f'ports_file_dir: "{tmp_path}"\n{conf.strip()[1:-1]}')
    server = subprocess.Popen(  # noqa: ASYNC220 - it is there at once
        [str(server_binary()), "-c", "nats-server.conf"], cwd=tmp_path, env=made, stderr=subprocess.DEVNULL
    )
    await until(lambda: addresses(tmp_path))
    listening = addresses(tmp_path)
    assert listening is not None
    port = int(listening[0].rpartition(":")[2])
    document = json.loads(CONFIG.read_text().replace("/data/", f"{tmp_path}/data/"))
    document["nats"]["servers"] = [f"nats://127.0.0.1:{port}"]
    document["http"] |= {"host": "127.0.0.1", "port": free_port()}
    (tmp_path / "config.json").write_text(json.dumps(document))
    yield Cluster(tmp_path, port, listening[1], made)
    server.kill()
    server.wait()


async def test_the_broker_starts_with_it_and_answers_its_probes(cluster: Cluster) -> None:
    container = CONTAINERS["StatefulSet/broker broker"][1]
    probes = [container[kind]["httpGet"]["path"] for kind in ("startupProbe", "livenessProbe", "readinessProbe")]
    async with aiohttp.ClientSession(cluster.monitor) as session:
        for path in probes:
            async with session.get(path) as response:
                assert (response.status, await response.json()) == (200, {"status": "ok"})
    assert container["args"] == ["--config", "/etc/nats/nats-server.conf"]
    assert {port["containerPort"] for port in container["ports"]} == {broker.CLIENT_PORT, broker.MONITOR_PORT}


async def test_each_password_opens_its_own_roles_and_no_others(cluster: Cluster) -> None:
    opened: dict[str, list[str]] = {}
    for variable in broker.PASSWORDS:
        for role in ROLES:
            try:
                client = await connect(cluster.nats(variable), role, name="test", within=2)
            except BrokerRefused:
                continue
            opened.setdefault(variable, []).append(role)
            await client.close()
    assert {name: set(roles) for name, roles in opened.items()} == {
        name: set(roles) for name, roles in broker.PASSWORDS.items()
    }


async def test_nobody_without_a_password_gets_in(cluster: Cluster) -> None:
    role: Role = "client"
    with pytest.raises(BrokerRefused):
        await connect(NatsSettings(servers=(f"nats://127.0.0.1:{cluster.port}",)), role, name="test", within=2)


async def test_the_parts_of_the_template_work_together(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """The init container, userstats, and a bridge's events over HTTP, each with the environment of its container."""
    for name, value in said(CONTAINERS["StatefulSet/userstats userstats"][1], {**SECRET, **cluster.made}).items():
        monkeypatch.setenv(name, value)
    provisioned = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "scripts.provision", "--config", str(cluster.folder / "config.json")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    room = Place("cytube", "cytu.be", "your_room")
    hello = Named(
        id=1, at=1_750_000_000_000, seen=1_750_000_000_000, place=room, watch="w", key=7, person=AMY, name="Amy"
    )
    told: list[MessageSent | Named] = [hello, message(2, room, author=AMY), message(3, room, author=AMY)]
    lines = [wire.seal(wire.body(event), "p", event.id) for event in told]
    async with Part(cluster.folder, "userstats") as userstats:
        await until(lambda: "ready:" in userstats.log.read_text(), 30)
        service = address_of(userstats)
        shown = {"Authorization": f"Bearer {cluster.made['USERSTATS_SERVICE_TOKEN']}", "Content-Type": http.NDJSON}
        async with aiohttp.ClientSession(service, headers=shown) as session:
            async with session.post(http.EVENTS, data=b"\n".join(lines)) as response:
                taken = response.status
            client = await connect(cluster.nats("NATS_PASSWORD_CLIENT"), "client", name="test")
            expected = [{"username": "Amy", "count": 2}]
            board = await until_answered(client, "leaderboard.messages", expected, since="all")
            await client.close()
            async with session.get("/readyz") as response:
                ready = response.status

    assert (provisioned.returncode, "the streams are as declared" in provisioned.stderr) == (0, True)
    assert (taken, ready, board) == (200, 200, expected)


def address_of(userstats: Part) -> str:
    """Where it says that it listens; its log is JSON here."""
    lines: list[dict[str, Any]] = [json.loads(line) for line in userstats.log.read_text().splitlines()]
    (said,) = (line["message"] for line in lines if line["message"].startswith("listening on "))
    return str(said).removeprefix("listening on ")
