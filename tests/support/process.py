"""Child processes that cannot outlive the tests, free ports, and bounded waiting.

Every child gets a process group of its own and dies with us: stop() kills the whole group, an
atexit handler kills what is left, and PR_SET_PDEATHSIG covers the tests being killed themselves.
"""

import atexit
import ctypes
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)
_alive = set()


def _die_with_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def start(command, **options):
    """subprocess.Popen in its own process group, killed at exit at the latest."""
    child = subprocess.Popen([str(word) for word in command], start_new_session=True,
                             preexec_fn=_die_with_parent, **options)
    _alive.add(child)
    return child


def stop(child, first=signal.SIGTERM, patience=10):
    """Asks with `first`, then kills the whole group. Returns the exit status."""
    if child.poll() is None:
        child.send_signal(first)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            pass
    kill_group(child)
    _alive.discard(child)
    return child.wait(10)


def kill_group(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


@atexit.register
def _stop_all():
    for child in list(_alive):
        kill_group(child)


def run(command, timeout=60, check=True, **options):
    """Runs to the end, output captured as text; a failure shows the output."""
    child = start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                  stdin=subprocess.DEVNULL, **options)
    try:
        out, err = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        kill_group(child)
        out, err = child.communicate(timeout=10)
        raise AssertionError(f"{command} took more than {timeout} s\n{out}\n{err}") from None
    finally:
        kill_group(child)
        _alive.discard(child)
    result = subprocess.CompletedProcess(command, child.returncode, out, err)
    if check and child.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\nexit {child.returncode}\n{out}\n{err}")
    return result


def directory(name, parent=None):
    """A temporary directory that is gone at exit at the latest."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"entrepot-{name}-", dir=parent))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


def free_port(host="127.0.0.1"):
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def wait_for(condition, seconds=10, what="condition", step=0.02):
    """Polls until condition() is true; returns its value. The only way to wait in the tests."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not seen within {seconds} s")
        time.sleep(step)


def connectable(port, host="127.0.0.1"):
    try:
        socket.create_connection((host, port), timeout=1).close()
        return True
    except OSError:
        return False
