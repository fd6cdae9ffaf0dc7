"""What runs below the functions: AWS APIs, Kafka, DynamoDB.

embedded: Python alone; everything in memory.
full: Apache Kafka and DynamoDB Local (Java), with their data in a folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from localstack.emulator.ports import claim_port
from localstack.emulator.supervisor import Spec, StartError

HERE = Path(__file__).resolve().parents[1]
LIBRARIES = HERE / "target" / "lib"
MINISTACK = Path(sys.prefix) / "ministack" / "bin" / "python"
# For SQLite's statement journals, a file for each write: on a disk an eighth of a put's time.
_QUICK = "/dev/shm"
_CLUSTER_ID = "bG9jYWxzdGFja2VtdWxhdA"  # any 16 bytes in base64


def ministack(port: int, data: Path, *, persist: bool) -> Spec:
    """The AWS APIs that need no server of their own."""
    if not MINISTACK.exists():
        raise StartError("MiniStack is not installed: run `make setup`")
    return Spec(
        name="aws",
        title="AWS APIs (MiniStack)",
        command=[str(MINISTACK), "-m", "ministack.app"],
        environment={
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(port),
            "EDGE_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "MINISTACK_WORKER_THREADS": "8",
            "PERSIST_STATE": "1" if persist else "0",
            "STATE_DIR": str(data / "aws"),
            "LOG_LEVEL": "ERROR",
        },
        port=port,
        show_output=False,
    )


def embedded_kafka(topics: Sequence[str], readers: Sequence[tuple[str, str]]) -> Spec:
    """The broker inside librdkafka: in memory, one consumer a group.

    Args:
        topics: Topics to create.
        readers: Groups that must not miss anything, each with a topic of theirs.
    """
    command = [sys.executable, "-m", "localstack.emulator.kafka_embedded"]
    for topic in topics:
        command += ["--topic", f"{topic}:4"]
    for reader in readers:
        command += ["--reader", ":".join(reader)]
    return Spec(name="kafka", title="Kafka (embedded)", command=command)


def apache_kafka(port: int, data: Path) -> Spec:
    """Apache Kafka, one node, KRaft."""
    folder = data / "kafka"
    properties = folder / "server.properties"
    folder.mkdir(parents=True, exist_ok=True)
    properties.write_text(_kafka_properties(port, claim_port(port + 1), folder / "log"))
    java = [_java(), *_lean(128), "-Dlog4j2.level=WARN", "-cp", f"{LIBRARIES}/*"]
    format_ = ["kafka.tools.StorageTool", "format", "--ignore-formatted"]
    subprocess.run(
        [*java, *format_, "-t", _CLUSTER_ID, "-c", str(properties)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return Spec(
        name="kafka",
        title="Kafka (Apache Kafka)",
        command=[*java, "kafka.Kafka", str(properties)],
        port=port,
        stop_seconds=4.0,
        show_output=False,
    )


def dynamodb_local(port: int, data: Path) -> Spec:
    """Amazon's DynamoDB Local, on disk. It binds every interface: keep it behind a firewall."""
    folder = data / "dynamodb"
    folder.mkdir(parents=True, exist_ok=True)
    _keep_a_write_ahead_log(folder / "shared-local-instance.db")
    return Spec(
        name="dynamodb",
        title="DynamoDB Local",
        command=[
            _java(),
            *_lean(96),
            "-cp",
            f"{LIBRARIES}/*",
            "software.amazon.dynamodb.services.local.main.ServerRunner",
            "-disableTelemetry",
            "-sharedDb",
            "-dbPath",
            str(folder),
            "-port",
            str(port),
        ],
        environment={"SQLITE_TMPDIR": _QUICK} if os.access(_QUICK, os.W_OK) else {},
        port=port,
        show_output=False,
    )


def _keep_a_write_ahead_log(path: Path) -> None:
    """Halves the time of a write (measured: 1.3 to 0.7 ms); SQLite remembers it in the file."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.execute("CREATE TABLE IF NOT EXISTS opened (at)")  # an empty file has no header
        database.execute("DROP TABLE opened")
        database.commit()


def install_java_libraries() -> bool:
    """Fetches Kafka and DynamoDB Local with Maven; False when they are there.

    Raises:
        StartError: Maven is missing, or fails.
    """
    _java()
    if LIBRARIES.is_dir() and any(LIBRARIES.glob("kafka_*.jar")):
        return False
    if shutil.which("mvn") is None:
        raise StartError("the profile full needs Maven: install it (apt-get install maven)")
    done = subprocess.run(
        ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        shutil.rmtree(LIBRARIES, ignore_errors=True)
        raise StartError(f"Maven failed: {done.stdout[-600:]}")
    return True


def _java() -> str:
    java = shutil.which("java")
    if java is None:
        raise StartError(
            "the profile full needs Java 17 or newer: install it "
            "(apt-get install openjdk-17-jre-headless)"
        )
    return java


def _lean(most: int) -> list[str]:
    """Options for a small heap of at most so many MB, and a quick start.

    The quick compiler starts faster; the full one is faster after half a minute.
    """
    jit = [] if os.environ.get("JAVA_FULL_JIT") else ["-XX:TieredStopAtLevel=1"]
    free = ["-XX:MinHeapFreeRatio=10", "-XX:MaxHeapFreeRatio=20"]
    return ["-Xms32m", f"-Xmx{most}m", f"-Xmn{most // 8}m", "-XX:+UseSerialGC", *free, *jit]


def _kafka_properties(port: int, controller: int, folder: Path) -> str:
    return f"""\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={folder}
num.partitions=4
num.network.threads=1
num.io.threads=1
background.threads=1
num.recovery.threads.per.data.dir=1
auto.create.topics.enable=true
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
broker.session.timeout.ms=2000
log.retention.hours=168
log.cleaner.dedupe.buffer.size=8388608
"""
