"""Apache Kafka as a process of the test's own: to be killed and started again."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from pathlib import Path

from chalicelib import coord
from localstack.emulator import profiles
from localstack.emulator.ports import free_port
from localstack.emulator.processes import die_with_parent

READY_SECONDS = 60.0


class KafkaServer:
    """One broker with data of its own."""

    def __init__(self, folder: Path) -> None:
        profiles.install_java_libraries()
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self._command = profiles.apache_kafka(self.port, folder).command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it answers."""
        self._process = subprocess.Popen(
            self._command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=die_with_parent(),
        )
        deadline = time.monotonic() + READY_SECONDS
        while True:
            with contextlib.suppress(OSError):
                return socket.create_connection(("127.0.0.1", self.port), 1).close()
            assert self._process.poll() is None, "Kafka ended"
            assert time.monotonic() < deadline, "Kafka does not answer"
            time.sleep(0.05)

    def kill(self) -> None:
        """Ends it as a power failure would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def centre(self, driver: str, **settings: object) -> Centre:
        """A configuration centre that names this broker."""
        return Centre({"brokers": [self.address], "driver": driver, **settings})


class Centre(coord.ConfigCentre):
    """A configuration centre with one document."""

    def __init__(self, document: dict[str, object]) -> None:
        self._text = json.dumps(document)

    def get(self, path: str, *, max_age_seconds: float | None = None) -> coord.Parameter | None:
        return coord.Parameter(path, self._text, 1)
