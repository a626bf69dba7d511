"""Rules and fixtures every integration test shares.

- `@pytest.mark.row("C-01")` names the catalogue rows a test covers; `@pytest.mark.limit(60)` its
  longest time in seconds (default 60): a hanging test fails, it does not hang the build.
- A skipped test is a failure when CI=true: on the test machines everything must be runnable.
- upstream and mirror are new for every test; a crash or sanitizer report fails the test it is in.
"""

import os
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from support import daemon, hostile, registry  # noqa: E402  (needs the path above)


def pytest_configure(config):
    config.addinivalue_line("markers", "row(id, ...): rows of the fault catalogue covered")
    config.addinivalue_line("markers", "limit(seconds): longest time of one test")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.skipped and os.environ.get("CI") == "true":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped tests fail in CI: {reason}"


def pytest_terminal_summary(terminalreporter):
    for report in terminalreporter.stats.get("skipped", []):
        terminalreporter.write_line(f"SKIPPED {report.nodeid}: {report.longrepr}")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    marker = item.get_closest_marker("limit")
    seconds = marker.args[0] if marker else 60

    def expired(*_):
        raise AssertionError(f"test took more than {seconds} s")

    before = signal.signal(signal.SIGALRM, expired)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def upstream():
    with hostile.Upstream() as server:
        yield server


@pytest.fixture
def mirror(upstream):
    with daemon.Daemon({"upstreams": [daemon.hub_of(upstream.url)]}) as running:
        yield running


@pytest.fixture
def start(request):
    """start(entry, ..., flags=, env=, **config): a daemon with these upstreams, closed at the end."""
    running = []

    def begin(*entries, flags=(), data=None, env=None, prefix=(), **config):
        found = daemon.Daemon({"upstreams": list(entries), **config}, flags, data, env, prefix)
        running.append(found)
        return found

    yield begin
    failures = []
    for each in running:
        try:
            each.close()
        except AssertionError as failure:
            failures.append(failure)
    if failures:
        raise failures[0]


@pytest.fixture(scope="module")
def plain_registry():
    with registry.Registry() as running:
        yield running
