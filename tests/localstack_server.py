"""Runs a command, most likely tests, against LocalStack 4.14.0 on this machine, without Docker.

    python -m tests.localstack_server .venv/bin/python -m pytest -q tests/contract

The command finds it by `LOCALSTACK_HOST`. Its packages go into .venv/localstack: that needs a
Python 3.13. DynamoDB Local is the one of the full profile, which binds every interface.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from localstack.emulator.ports import free_port
from localstack.emulator.processes import die_with_parent
from localstack.emulator.profiles import LIBRARIES, install_java_libraries

ROOT = Path(__file__).parents[1]
VENV = Path(sys.prefix) / "localstack"
PYTHON = VENV / "bin" / "python"
READY_SECONDS = 180.0
STOP_SECONDS = 20.0
# LocalStack would download a Java and DynamoDB Local; where it looks, this stands for both. The
# agent that it loads lifts the limit of 20 indexes.
JAVA = """\
#!/bin/sh
for one; do
  shift
  case $one in
    -javaagent:* | -Djava.library.path=* | -jar | *.jar) ;;
    -Xmx*) heap=$one ;;
    *) set -- "$@" "$one" ;;
  esac
done
exec {java} "$heap" -cp {classes} software.amazon.dynamodb.services.local.main.ServerRunner "$@"
"""


def install() -> None:
    """Its packages, as of the days before it wanted an account.

    Raises:
        SystemExit: There is no Python 3.13.
    """
    if not PYTHON.exists():
        uv = [Path(sys.prefix) / "bin" / "uv", "venv", "-q", "--python", _python(), VENV]
        subprocess.run(uv, check=True)
    uv = [Path(sys.prefix) / "bin" / "uv", "pip", "install", "-q", "--require-hashes"]
    packages = ["--python", PYTHON, "-r", ROOT / "requirements" / "localstack.txt"]
    subprocess.run([*uv, *packages], check=True)
    install_java_libraries()


def _python() -> str:
    """A Python 3.13; pyenv shows its own by that variable only."""
    command = ["python3.13", "-c", "import sys; print(sys.executable)"]
    environment = {**os.environ, "PYENV_VERSION": "3.13"}
    try:
        return subprocess.check_output(command, env=environment, text=True).strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise SystemExit("LocalStack needs python3.13 on the PATH") from error


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """Its address, host and port."""
    address = f"127.0.0.1:{free_port()}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [PYTHON, "-m", "localstack.runtime.main"],
            env=_environment(folder, address),
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
    try:
        wait_until_ready(address, process, folder / "log")
        yield address
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _environment(folder: Path, address: str) -> dict[str, str]:
    files = folder / "files"
    _place_dynamodb(files / "var" / "lib" / "localstack" / "lib")
    (folder / "tmp").mkdir()
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "FILESYSTEM_ROOT": str(files),
        "OVERRIDE_IN_DOCKER": "0",
        "GATEWAY_SERVER": "hypercorn",  # the default server opens every interface
        "GATEWAY_LISTEN": address,
        "LOCALSTACK_HOST": address,
        "DNS_ADDRESS": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "S3_SKIP_SIGNATURE_VALIDATION": "0",
    }


def _place_dynamodb(libraries: Path) -> None:
    java, jar = libraries / "java/21/bin/java", libraries / "dynamodb-local/2/DynamoDBLocal.jar"
    java.parent.mkdir(parents=True)
    jar.parent.mkdir(parents=True)
    jar.touch()
    classes = shlex.quote(f"{LIBRARIES}/*")
    java.write_text(JAVA.format(java=shutil.which("java"), classes=classes))
    java.chmod(0o755)


def wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://{address}/_localstack/health", timeout=5),
        ):
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise SystemExit("LocalStack did not start:\n" + log.read_text()[-4000:])
        time.sleep(0.1)


def main(command: Sequence[str]) -> int:
    """The exit code of the command."""
    install()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as address:
        environment = {**os.environ, "LOCALSTACK_HOST": address}
        return subprocess.run(command, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
