"""The programs of the control plane: found in the lab's folder, or built there from the Go modules whose hashes are checked in."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from runners.local.faults import StackFault
from scripts.world import CHECKOUT

LAB_VARIABLE: Final = "LAB"
MODULES: Final = Path(__file__).resolve().parent / "modules"
GO_MINOR: Final = 26
HELM: Final = "v3.19.5"
_OF_KUBERNETES: Final = "v1.36.3"
_VERSION: Final = "k8s.io/component-base/version"


@dataclass(frozen=True, slots=True)
class Program:
    """What builds a program. module: its folder under `modules`, "" where Go's own database of checksums vouches for it.

    minutes: about how long a cold build takes on two idle cores. stamps: variables that the linker sets.
    """

    package: str
    minutes: int
    module: str = ""
    stamps: Mapping[str, str] = field(default_factory=dict)


_KUBERNETES: Final = {
    f"{_VERSION}.gitVersion": _OF_KUBERNETES,
    f"{_VERSION}.gitMajor": "1",
    f"{_VERSION}.gitMinor": _OF_KUBERNETES.split(".")[1],
}
PROGRAMS: Final[Mapping[str, Program]] = {
    "etcd": Program("go.etcd.io/etcd/server/v3", 3, "etcd"),
    "kube-apiserver": Program("k8s.io/kubernetes/cmd/kube-apiserver", 15, "kubernetes", _KUBERNETES),
    "kube-controller-manager": Program("k8s.io/kubernetes/cmd/kube-controller-manager", 4, "kubernetes", _KUBERNETES),
    "kube-scheduler": Program("k8s.io/kubernetes/cmd/kube-scheduler", 1, "kubernetes", _KUBERNETES),
    # Without these a Helm that is built so believes in Kubernetes 1.20.
    "helm": Program(
        f"helm.sh/helm/v3/cmd/helm@{HELM}",
        3,
        stamps={
            f"helm.sh/helm/v3/pkg/{one}.k8sVersion{part}": value
            for one in ("chartutil", "lint/rules")
            for part, value in (("Major", "1"), ("Minor", "34"))
        },
    ),
}
SERVERS: Final = tuple(name for name in PROGRAMS if name != "helm")


def lab_dir() -> Path:
    """Where programs, Go's caches and the state of a lab lie: LAB, or `.lab` in the checkout; git ignores it."""
    return Path(os.environ.get(LAB_VARIABLE) or CHECKOUT / ".lab").absolute()


def program(name: str) -> str:
    """The path of a program; StackFault where it is not built."""
    path = lab_dir() / "bin" / name
    if not path.exists():
        raise StackFault(f"{path} is not there; `scripts/lab build` makes it, or set {LAB_VARIABLE} to the folder that holds bin/{name}.")
    return str(path)


def missing(names: tuple[str, ...] = tuple(PROGRAMS)) -> list[str]:
    return [name for name in names if not (lab_dir() / "bin" / name).exists()]


def build(names: list[str], tell: Callable[[str], None]) -> None:
    """Build the programs; StackFault where Go is missing, too old, or fails. tell: takes a sentence on how far it is."""
    if not names:
        return
    go = _go()
    minutes = sum(PROGRAMS[name].minutes for name in names)
    tell(f"Building {', '.join(names)} with {go} in {lab_dir()}: about {minutes} minutes on two idle cores and 9 GB, once.")
    for name in names:
        began = time.monotonic()
        _build(go, name)
        tell(f"{name} is built, {time.monotonic() - began:.0f} s.")


def _go() -> str:
    go = shutil.which("go")
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False).stdout.strip() if go else ""
    minor = said.removeprefix("go1.").split(".")[0]
    if go is None or not minor.isdigit() or int(minor) < GO_MINOR:
        raise StackFault(f"Go 1.{GO_MINOR} or newer is needed to build the control plane, and {said or 'none'} is on the PATH; install it.")
    return go


def _build(go: str, name: str) -> None:
    made, lab = PROGRAMS[name], lab_dir()
    (lab / "bin").mkdir(parents=True, exist_ok=True)
    flags = ["-trimpath", "-ldflags", " ".join(["-s", "-w", *(f"-X {where}={value}" for where, value in made.stamps.items())])]
    environment = {
        **os.environ,
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
        "GOFLAGS": "-buildvcs=false",
        "GOBIN": str(lab / "bin"),
        "GOCACHE": str(lab / "gocache"),
        "GOMODCACHE": str(lab / "gomod"),
    }
    if made.module:
        # A copy: Go may add to the sums of what it fetches, and the checked-in ones stay as they are.
        folder = lab / "modules" / made.module
        shutil.copytree(MODULES / made.module, folder, dirs_exist_ok=True)
        command = [go, "build", "-mod=mod", *flags, "-o", str(lab / "bin" / name), made.package]
    else:
        folder, command = lab, [go, "install", *flags, made.package]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StackFault(f"{name} cannot be built: {' '.join(done.stderr.split())[-400:]}")
