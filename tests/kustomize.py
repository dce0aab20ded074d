"""What `kubectl kustomize` would make of a folder, as far as our template uses it: there is no kustomize here."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Resource = dict[str, Any]
_KNOWN = {
    "apiVersion", "kind", "namespace", "labels", "resources", "components", "configMapGenerator", "secretGenerator",
    "images",
}  # fmt: skip


def assembled(folder: Path) -> list[Resource]:
    """The resources of this folder and of those it is made of. Names of generated ones have no hash at their end."""
    said = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert set(said) <= _KNOWN, f"{folder.name} uses what this does not know: {sorted(set(said) - _KNOWN)}"
    found = [one for name in said.get("resources", ()) for one in _read(folder / name)]
    found += [one for name in said.get("components", ()) for one in assembled(folder / name)]
    found += [_config_map(folder, one) for one in said.get("configMapGenerator", ())]
    found += [_secret(folder, one) for one in said.get("secretGenerator", ())]
    for one in found:
        if said.get("namespace") and one["kind"] != "Namespace":
            one["metadata"]["namespace"] = said["namespace"]
        for labels in said.get("labels", ()):
            one["metadata"].setdefault("labels", {}).update(labels["pairs"])
    for image in said.get("images", ()):
        for container in (container for one in found for container in containers(one)):
            if container["image"].partition(":")[0] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"
    return found


def pod(resource: Resource) -> Resource | None:
    """The pod that a workload runs."""
    spec: Resource | None = resource.get("spec", {}).get("template", {}).get("spec")
    return spec


def containers(resource: Resource) -> Iterator[Resource]:
    """Those of a workload, in which order they start."""
    spec = pod(resource) or {}
    yield from spec.get("initContainers", ())
    yield from spec.get("containers", ())


def _read(path: Path) -> list[Resource]:
    return assembled(path) if path.is_dir() else list(yaml.safe_load_all(path.read_text()))


def _config_map(folder: Path, said: Resource) -> Resource:
    data = {name: (folder / name).read_text() for name in said["files"]}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": said["name"]}, "data": data}


def _secret(folder: Path, said: Resource) -> Resource:
    """From the example of each file: the file itself is nobody's to read."""
    lines = [line for name in said["envs"] for line in (folder / f"{name}.example").read_text().splitlines()]
    pairs = (line.partition("=") for line in lines)
    data = {name: base64.b64encode(value.encode()).decode() for name, _, value in pairs}
    return {
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": {"name": said["name"]}, "data": data,
    }  # fmt: skip
