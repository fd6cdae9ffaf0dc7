"""A warm interpreter that is forked for each Lambda environment.

What every function needs is imported once, and its memory is shared: an environment costs a few
milliseconds and a few megabytes instead of 100 and 20. It is told over a socket what to start, and
tells the process ids and, later, how the processes ended. Linux only.

Messages are JSON, one a packet: ``{"handler", "cwd", "environment"}`` with the descriptor of the
output comes in; ``{"pid"}`` goes out for each, in order, and ``{"pid", "code"}`` when it ended.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from localstack.emulator.processes import die_with_parent

PACKET_BYTES = 1 << 18
# What awslambdaric imports; its own client reads the environment when it is imported.
_MODULES = (
    "awslambdaric.lambda_context",
    "awslambdaric.lambda_runtime_marshaller",
    "concurrent.futures",
    "http.client",
    "logging",
    "urllib.request",
)
PADDING = "_" * 200  # room on the command line, which shows the handler later


def main(arguments: Sequence[str]) -> int:
    """Forks environments until the socket is closed; in each of these, runs its handler."""
    descriptor, _padding, *modules = arguments
    control = socket.socket(fileno=int(descriptor))
    wake, woken = os.pipe()
    for end in (wake, woken):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    for name in (*_MODULES, *modules):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()  # the collector does not touch, and so copy, what is shared
    forked = _serve(control, wake)
    if forked is None:
        return 0
    for end in (control.detach(), wake, woken):
        os.close(end)
    return _run(*forked)


def _serve(control: socket.socket, wake: int) -> tuple[Mapping[str, Any], int] | None:
    """Returns in each fork, with its request and output; None when there will be no more."""
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(wake, selectors.EVENT_READ)
        while True:
            ready = {key.fd for key, _ in selector.select()}
            if wake in ready:
                os.read(wake, 4096)
                _report_ends(control)
            if control.fileno() not in ready:
                continue
            packet, descriptors, _, _ = socket.recv_fds(control, PACKET_BYTES, 1)
            if not packet:
                return None
            pid = os.fork()
            if pid == 0:
                return json.loads(packet), descriptors[0]
            os.close(descriptors[0])
            _send(control, {"pid": pid})


def _report_ends(control: socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _send(control, {"pid": pid, "code": os.waitstatus_to_exitcode(status)})


def _run(request: Mapping[str, Any], output: int) -> int:
    """Becomes what ``python -m awslambdaric <handler>`` would be."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    if prepare := die_with_parent():
        prepare()
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    sys.path[0] = request["cwd"]
    sys.argv = ["awslambdaric", request["handler"]]
    _name_process(f"python -m awslambdaric {request['handler']}")
    importlib.import_module("awslambdaric.__main__").main(sys.argv)
    return 0


def _name_process(title: str) -> None:
    """Shows another command line: proc(5) has it from the process's own memory."""
    with open("/proc/self/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    text = title.encode()[: end - start - 2] + b"\0"
    # With a last byte that is not zero, the kernel shows what is before the first zero.
    ctypes.memset(start, ord("_"), end - start)
    ctypes.memmove(start, text, len(text))


def _send(control: socket.socket, message: Mapping[str, int]) -> None:
    control.send(json.dumps(message).encode())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
