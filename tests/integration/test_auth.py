"""Users and their passwords, seen from outside: files, changes while we run, those who guess."""

import concurrent.futures
import http.client
import signal
import statistics
import time

import pytest
from support import daemon, images, process, push

NOWHERE = "http://127.0.0.1:1"
PULL_TEAM = {"who": "everyone", "repositories": ["team/**"], "may": ["pull"]}
ALICE = {"who": "alice", "repositories": ["team/**"], "may": ["pull", "push"]}


@pytest.fixture
def users(tmp_path):
    return push.htpasswd(tmp_path / "htpasswd", "alice", "bob")


@pytest.fixture
def server(start, users):
    return start(daemon.hub_of(NOWHERE),
                 access={"htpasswd": str(users), "rules": [PULL_TEAM, ALICE]})


def ask(server, headers, source="127.0.0.1", target="/v2/"):
    """One GET from this address of ours: (status, headers, body)."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60,
                                            source_address=(source, 0))
    try:
        connection.request("GET", target, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def becomes(server, headers, status, seconds=5):
    process.wait_for(lambda: server.get("/v2/", headers).status == status, seconds,
                     f"answer {status}")


@pytest.mark.row("A-14")
def test_what_the_htpasswd_program_writes_by_default_is_refused_by_line(users, tmp_path):
    line = process.run(["htpasswd", "-nb", "carol", "x"]).stdout
    assert "$apr1$" in line
    users.write_text(users.read_text() + line)
    config = tmp_path / "config.yaml"
    config.write_text(daemon.yaml({"data": str(tmp_path / "data"), "listen": "127.0.0.1:0",
                                   "access": {"htpasswd": str(users)}}))
    status, text = daemon.run_once("serve", "--config", config)
    assert status != 0
    assert "line 3" in text and "bcrypt" in text
    assert "carol" not in text and "$apr1$" not in text


@pytest.mark.row("A-12")
def test_what_htpasswd_b_writes_works_with_a_warning(server):
    """Its cost is 5."""
    assert "bcrypt cost below 10" in server.log()
    assert server.get("/v2/", push.basic("alice")).status == 200


@pytest.mark.row("A-09", "A-14")
def test_the_file_is_read_again_when_it_changes_and_only_when_it_is_good(server, users):
    assert server.get("/v2/", push.basic("alice")).status == 200
    good = users.read_text()
    users.write_text(good.replace("alice:$2y$", "alice:{SHA}"))
    process.wait_for(lambda: server.get("/v2/", push.basic("bob")) and "line 1" in server.log(), 5,
                     "a word about the bad line")
    assert server.get("/v2/", push.basic("alice")).status == 200
    assert server.log().count("cannot be used") == 1
    users.write_text("".join(line for line in good.splitlines(True) if line.startswith("bob")))
    becomes(server, push.basic("alice"), 401)
    assert server.get("/v2/", push.basic("bob")).status == 200


@pytest.mark.row("A-09")
def test_a_right_taken_away_is_gone_with_the_reload(server):
    repository = push.Repository(server.address, "team/app", push.basic("alice"))
    assert repository.post().status == 202
    server.config["access"]["rules"] = [PULL_TEAM]
    server.command()
    server.child.send_signal(signal.SIGHUP)
    process.wait_for(lambda: repository.post().status == 403, 5, "the right to be gone")
    server.config["access"]["rules"] = [{**ALICE, "who": "group:nobody"}]
    server.command()
    server.child.send_signal(signal.SIGHUP)
    assert repository.request("GET", "tags/list").status in (200, 404), "all or nothing"


@pytest.mark.row("A-19", "A-11")
def test_a_refusal_is_the_same_whatever_was_wrong(server):
    def seen(headers):
        status, fields, body = ask(server, headers)
        return status, fields["WWW-Authenticate"], fields["Content-Type"], body

    expected = seen(push.basic("alice", "wrong"))
    assert expected[0] == 401
    assert expected[1] == 'Basic realm="entrepot", charset="UTF-8"'
    for headers in (push.basic("mallory", "wrong"), push.basic("", ""),
                    {"Authorization": "Basic ###"}, {"Authorization": "Digest x"}):
        assert seen(headers) == expected, headers


@pytest.mark.row("A-11")
def test_an_unknown_user_costs_what_a_known_one_costs(server):
    """In CPU time of the daemon, for the machine may be busy. A hash of cost 5 is some
    milliseconds, none is a fraction."""
    spent = {"alice": [], "mallory": []}
    for number in range(40):
        for place, (name, costs) in enumerate(spent.items(), 1):
            before = server.cpu_nanoseconds()
            source = f"127.0.{number // 8 + 1}.{place}"
            assert ask(server, push.basic(name, f"guess {number}"), source)[0] == 401
            costs.append(server.cpu_nanoseconds() - before)
    known, unknown = map(statistics.median, spent.values())
    assert 0.5 < known / unknown < 2, (known, unknown)


@pytest.mark.row("A-13")
def test_who_guesses_is_refused_and_nobody_else(server):
    guesses = [ask(server, push.basic("alice", f"guess {number}"), "127.0.0.2")[0]
               for number in range(12)]
    assert guesses[:10] == [401] * 10
    assert guesses[10:] == [429] * 2
    status, headers, _ = ask(server, push.basic("alice"), "127.0.0.2")
    assert status == 429 and 0 < int(headers["Retry-After"]) <= 60
    assert ask(server, push.basic("alice"), "127.0.0.1")[0] == 200
    assert ask(server, push.basic("bob"), "127.0.0.2")[0] == 200


@pytest.mark.row("A-12")
def test_a_flood_of_bad_logins_leaves_the_others_alone(server):
    known = push.basic("alice")
    assert server.get("/v2/", known).status == 200

    def guess(number):
        return ask(server, push.basic(f"user{number}", "x"), "127.0.0.2")[0]

    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        flood = [pool.submit(guess, number) for number in range(200)]
        seconds = []
        for _ in range(30):
            began = time.monotonic()
            assert server.get("/v2/", known).status == 200
            seconds.append(time.monotonic() - began)
        assert ask(server, push.basic("bob"), "127.0.0.3")[0] == 200
        assert {each.result() for each in flood} <= {401, 429}
    assert statistics.median(seconds) < 1


@pytest.mark.row("A-08")
def test_names_are_compared_whole(start, tmp_path):
    names = ["ali", "alice2", "Alice", "anonymous", "everyone", "admin"]
    users = push.htpasswd(tmp_path / "htpasswd", "alice", *names)
    server = start(daemon.hub_of(NOWHERE), access={"htpasswd": str(users), "rules": [ALICE]})
    assert push.Repository(server.address, "team/a", push.basic("alice")).post().status == 202
    for name in names:
        repository = push.Repository(server.address, "team/a", push.basic(name))
        assert repository.post().status == 403, name
        assert server.get("/api/v1/usage", push.basic(name)).status == 403, name


def test_a_mirror_without_users_ignores_what_clients_send(start, plain_registry):
    plain_registry.push(images.small(1), "library/app", "v1")
    mirror = start(daemon.hub_of(plain_registry.url))
    for headers in (push.basic("hub-user", "hub-password"), {"Authorization": "Bearer abc"}):
        assert mirror.get("/v2/", headers).status == 200
        assert mirror.manifest("library/app", "v1", headers).status == 200
