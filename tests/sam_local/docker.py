"""Docker: the machine's daemon where it runs, else one of our own in a temporary folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_READY_SECONDS = 60.0
_STOP_SECONDS = 20.0
# Its firewall and its routing are the machine's affair: containers talk to this machine alone.
_OPTIONS = ("--iptables=false", "--ip6tables=false", "--ip-forward=false", "--ip-masq=false")
_SUBNET = "10.213.0.1/24"  # any that nobody has


class DockerError(Exception):
    """Docker cannot be used; the text is one line that says why."""


@dataclass(frozen=True, slots=True)
class Docker:
    """A daemon that answers; ``host`` is its address, or empty for the default one."""

    host: str = ""

    @property
    def variables(self) -> dict[str, str]:
        """For programs that are to use it."""
        return {"DOCKER_HOST": self.host} if self.host else {}

    def gateway(self) -> str:
        """The address at which its containers see this machine."""
        template = "{{(index .IPAM.Config 0).Gateway}}"
        return self.run("network", "inspect", "bridge", "--format", template)

    def run(self, *arguments: str) -> str:
        """Runs a command of docker's.

        Raises:
            DockerError: It failed.
        """
        done = subprocess.run(
            ["docker", *arguments],
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DockerError(f"docker {arguments[0]}: {_last_line(done.stderr)}")
        return done.stdout.strip()

    def answers(self) -> bool:
        """Whether the daemon runs."""
        try:
            return bool(self.run("version", "--format", "{{.Server.Version}}"))
        except DockerError:
            return False

    def has_image(self, name: str) -> bool:
        """Whether an image is there, or can be pulled."""
        for arguments in (("image", "inspect", name), ("pull", "-q", name)):
            try:
                self.run(*arguments)
            except DockerError:
                continue
            return True
        return False

    def add_layer(self, folder: Path, base: str, name: str) -> None:
        """Makes an image of another one and a layer of Lambda's, as SAM does.

        Raises:
            DockerError: It failed.
        """
        recipe = folder / "Dockerfile"
        recipe.write_text(f"FROM {base}\nADD python /opt/python\n")
        self.run("build", "-q", "-t", name, str(folder))

    def load(self, folder: Path, name: str, changes: Sequence[str]) -> None:
        """Imports a folder as an image.

        Raises:
            DockerError: It failed.
        """
        options = [word for change in changes for word in ("--change", change)]
        archive = folder.with_suffix(".tar")
        subprocess.run(["tar", "-C", folder, "-cf", archive, "."], check=True)
        self.run("import", *options, str(archive), name)


@contextmanager
def running(folder: Path) -> Iterator[Docker]:
    """A daemon that answers, for as long as it is needed.

    Raises:
        DockerError: There is none, and none can be started.
    """
    docker = Docker()
    if shutil.which("docker") and docker.answers():
        yield docker
        return
    if not shutil.which("docker") or not shutil.which("dockerd"):
        raise DockerError("Docker is not installed: apt-get install docker.io iptables")
    if os.getuid() != 0:
        raise DockerError("Docker does not run, and only root can start it: start the daemon")
    docker = Docker(f"unix://{folder}/docker.sock")
    daemon = _start(docker, folder)
    try:
        yield docker
    finally:
        _stop(daemon)


def _start(docker: Docker, folder: Path) -> subprocess.Popen[bytes]:
    """Starts a daemon; where layers cannot be overlaid, with copies of them."""
    said = ""
    for driver in ((), ("--storage-driver", "vfs")):
        log = folder / "dockerd.log"
        command = ["dockerd", *_OPTIONS, *driver, "--bip", _SUBNET, "-H", docker.host]
        command += ["--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"]
        command += ["--pidfile", f"{folder}/docker.pid"]
        with log.open("wb") as output:
            daemon = subprocess.Popen(command, stdout=output, stderr=output, process_group=0)
        deadline = time.monotonic() + _READY_SECONDS
        while daemon.poll() is None and time.monotonic() < deadline:
            if docker.answers():
                return daemon
            time.sleep(0.2)
        _stop(daemon)
        said = _last_line(log.read_text(errors="replace"))
        shutil.rmtree(folder / "data", ignore_errors=True)
    raise DockerError(f"dockerd cannot run here (it needs root and its privileges): {said}")


def _stop(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(daemon.pid, signal.SIGKILL)  # with containerd, which it started
        daemon.wait()


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
