"""hxm serve on the real tools: what it shows, what it refuses, and what cannot hold it up."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress

import pytest
from prometheus_client.parser import text_string_to_metric_families

TOKEN = "correct-horse-battery"


class Served:
    """A running hxm serve."""

    def __init__(self, sandbox, *words: str, host: str = "127.0.0.1") -> None:
        self.host = host
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hxm", "serve", "--listen", f"{host}:0", *words],
            env=sandbox.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.said = ""
        while "serving" not in self.said:
            line = self.process.stderr.readline()
            assert line, f"it ended: {self.said}"
            self.said += line
        shown = f"[{host}]" if ":" in host else host
        self.port = int(re.search(rf"serving http://{re.escape(shown)}:(\d+)/", self.said)[1])

    def get(self, path: str = "/", method: str = "GET", body: bytes | None = None, **headers):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=20)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def until(self, condition) -> None:
        end = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < end, self.get()
            time.sleep(0.1)

    def end(self, how: int = signal.SIGTERM) -> int:
        self.process.send_signal(how)
        status = self.process.wait(60)
        self.said += self.process.stderr.read()
        assert self.process.stdout.read() == ""
        return status


@contextmanager
def serving(sandbox, *words: str, host: str = "127.0.0.1"):
    served = Served(sandbox, *words, host=host)
    try:
        yield served
    finally:
        with suppress(ProcessLookupError):
            served.process.kill()
        served.process.wait()


def test_it_shows_what_hxm_status_says(sandbox):
    with serving(sandbox) as served:
        status, page = served.get()
        assert status == 200
        assert "All is well" in page
        assert "This is a sandbox" in page
        status, text = served.get("/status.json")
        shown = json.loads(text)
        assert shown.pop("asked")["fault"] is None
        theirs = sandbox.ok("status", "-o", "json").json
        shown["cluster"].pop("toolstack_why")
        theirs["cluster"].pop("toolstack_why")
        assert shown == theirs
        metrics = served.get("/metrics")[1]
        names = {family.name for family in text_string_to_metric_families(metrics)}
        assert {"hxm_up", "hxm_domain_up", "hxm_node_state"} <= names
        assert served.get("/healthz") == (200, "ok\n")
        assert served.get("/", "POST")[0] == 405
        assert served.get("/", Host="evil.example")[0] == 403
        sandbox.ok("migrate", "nfs", "host2", "--keep")
        served.until(lambda: "cli-prefer-nfs" in served.get()[1])
        assert served.end() == 0
    assert served.said.count("\n") == 1


def test_a_cluster_that_is_lost_is_shown_as_it_was_and_comes_back(sandbox):
    with serving(sandbox) as served:
        sandbox.program("crm_mon", "echo 'Connection to cluster failed' >&2; exit 102")
        served.until(lambda: "This is not the present" in served.get()[1])
        status, page = served.get()
        assert status == 200
        assert ">nfs<" in page
        assert served.get("/healthz")[0] == 503
        status, text = served.get("/status.json")
        assert status == 503
        assert "cannot read" in json.loads(text)["asked"]["fault"]
        assert "\nhxm_up 0.0\n" in served.get("/metrics")[1]
        (sandbox.bin / "crm_mon").unlink()
        served.until(lambda: served.get("/healthz")[0] == 200)
        assert served.end(signal.SIGINT) == 0
    assert served.said.count("cannot read") == 1
    assert served.said.splitlines()[-1] == "hxm: the cluster answers again"


def test_tools_that_hang_hold_nobody_up_and_end_with_it(sandbox):
    sandbox.program("crm_mon", f"echo $$ >>{sandbox.folder}/pids; exec sleep 300")
    with serving(sandbox) as served:
        for _ in range(50):
            status, page = served.get()
            assert status == 200
        assert "Nothing is known of the cluster" in page
        pids = (sandbox.folder / "pids").read_text().split()
        assert len(pids) == 1
        assert os.path.exists(f"/proc/{pids[0]}")
        assert served.end() == 0
        end = time.monotonic() + 10
        while os.path.exists(f"/proc/{pids[0]}") and time.monotonic() < end:
            time.sleep(0.01)
        assert not os.path.exists(f"/proc/{pids[0]}")


@pytest.mark.parametrize("host", ["127.0.0.2", "::1"])
def test_it_answers_at_the_address_that_it_names(sandbox, host):
    try:
        socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    with serving(sandbox, host=host) as served:
        assert served.get()[0] == 200


def test_as_many_connections_as_there_may_be_are_said_to_be_so(sandbox):
    with serving(sandbox) as served:
        slow = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(210)]
        line = served.process.stderr.readline()
        for each in slow:
            each.close()
        assert served.end() == 0
    assert line.startswith("hxm: ")
    assert "connections" in line


def test_slow_clients_and_nonsense_hold_nobody_up(sandbox):
    with serving(sandbox) as served:
        where = ("127.0.0.1", served.port)
        slow = [socket.create_connection(where) for _ in range(100)]
        for each in slow[:50]:
            each.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        assert served.get()[0] == 200
        for nonsense in (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n",
            b"GET http://[::1 HTTP/9.9\r\n\r\n",
        ):
            client = socket.create_connection(where, 20)
            with client, suppress(BrokenPipeError, ConnectionResetError):
                client.sendall(nonsense)
                answer = client.recv(65536)
                assert not answer or re.match(rb"HTTP/1.[01] 4\d\d ", answer)
                assert b"Traceback" not in answer
        assert served.get()[0] == 200
        for each in slow:
            each.close()
        assert served.end() == 0
    assert "Traceback" not in served.said


def test_a_token_is_needed_and_never_written_down(sandbox):
    path = sandbox.folder / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    with serving(sandbox, "--token-file", str(path)) as served:
        assert "to whoever has the token" in served.said
        for page in ("/", "/status.json", "/metrics"):
            assert served.get(page)[0] == 401
            assert served.get(page, Authorization="Bearer x")[0] == 401
            assert served.get(page, Authorization=f"Bearer {TOKEN}", Host="xen.example")[0] == 200
        assert served.get("/login", "POST", f"token={TOKEN}".encode())[0] == 303
        assert served.get(f"/?token={TOKEN}")[0] == 401
        with open(f"/proc/{served.process.pid}/cmdline") as file:
            assert TOKEN not in file.read()
        assert served.end() == 0
    assert TOKEN not in served.said


REFUSED = {
    "not loopback, no token": (("--listen", "0.0.0.0:0"), "a token is required"),
    "not loopback by name": (("--listen", ":::0"), "a token is required"),
    "no port": (("--listen", "127.0.0.1"), "takes HOST:PORT"),
    "no host": (("--listen", ":80"), "takes HOST:PORT"),
    "a port that is none": (("--listen", "127.0.0.1:99999"), "takes HOST:PORT"),
    "a port beyond all bounds": (("--listen", "127.0.0.1:" + "9" * 5000), "takes HOST:PORT"),
    "a port in words": (("--listen", "127.0.0.1:http"), "takes HOST:PORT"),
    "a host that is none": (("--listen", "no.such.host.invalid:80"), "unknown host to listen on"),
    "no token file": (("--token-file", "/nonexistent"), "cannot be read"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_before_anything_is_opened(sandbox, name):
    words, said = REFUSED[name]
    ran = sandbox.hxm("serve", *words)
    assert ran.status == 2
    assert said in ran.err
    assert len(ran.err.splitlines()) <= 2


def test_an_address_that_cannot_be_had_is_one_clear_line(sandbox):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = sandbox.hxm("serve", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
    assert ran.status == 1
    assert ": Address already in use" in ran.err


def test_the_page_in_a_file(sandbox):
    page = sandbox.ok("status", "-o", "html").out
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")
    table = sandbox.ok("status", "-o", "html", "--columns", "name").out
    assert table.startswith("<table>")
