"""hxm serve under clients that mean no good, and under many that do; all of it bounded in time."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import NamedTuple

import pytest

DEADLINE = 3
"""Seconds, so that the tests need not wait for twenty."""
PROGRAM = f"""
import sys
from hxm import cli
from hxm.web import server
server._LIMITS |= {{"channel_timeout": {DEADLINE}, "cleanup_interval": 1}}
sys.argv = ["hxm", "serve", "--listen", "127.0.0.1:0", *sys.argv[1:]]
cli.main()
"""
PATIENCE = 10.0


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class Served:
    """A running hxm serve with a short deadline."""

    def __init__(self, sandbox, *words: str) -> None:
        self.errors = sandbox.folder / "errors"
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words],
            env=sandbox.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.errors.open("w"),
        )
        end = time.monotonic() + 60
        while not (found := re.search(r"serving http://127.0.0.1:(\d+)/", self.said)):
            assert self.process.poll() is None and time.monotonic() < end, self.said
            time.sleep(0.05)
        self.port = int(found[1])

    @property
    def said(self) -> str:
        return self.errors.read_text()

    @property
    def memory(self) -> int:
        """Resident MiB."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) >> 10

    def connect(self, *, buffer: int = 0) -> socket.socket:
        client = socket.socket()
        client.settimeout(PATIENCE)
        if buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        client.connect(("127.0.0.1", self.port))
        return client

    def answers(self) -> bool:
        """Whether it still serves; on a busy machine the cluster's tools may be late."""
        return self.get().status in (200, 503)

    def get(self, path: str = "/healthz", **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return Answer(answer.status, answer.headers, body)


@pytest.fixture
def served(bare):
    """Of a cluster whose answers are long."""
    served = Served(bare.make("--nodes", "8", "--domains", "100"))
    try:
        while served.get().status != 200:
            time.sleep(0.1)
        yield served
        assert served.process.poll() is None, served.said
        assert "Traceback" not in served.said
        assert served.answers()
    finally:
        served.process.kill()
        served.process.wait()


def are_cut_off(clients: list[socket.socket], within: float = 4 * DEADLINE + PATIENCE) -> bool:
    """Whether the server ends all of these by itself."""
    end = time.monotonic() + within
    for client in clients:
        client.settimeout(max(0.1, end - time.monotonic()))
        try:
            while client.recv(1 << 16):
                pass
        except ConnectionError:
            pass
        except TimeoutError:
            return False
        client.close()
    return True


def test_an_answer_is_the_last_of_its_connection(served):
    client = served.connect()
    client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)
    answer = b""
    with suppress(ConnectionError):
        while part := client.recv(65536):
            answer += part
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"\r\nConnection: close\r\n" in answer


def test_pipeliners_that_never_read_hold_nobody_up(served):
    """Four of them were enough when each of their requests was answered."""
    before = served.memory
    request = b"GET /status.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
    clients = [served.connect(buffer=4096) for _ in range(100)]
    for client in clients:
        client.setblocking(False)
        with suppress(OSError):
            client.send(request * 220)
    for _ in range(10):
        assert served.answers()
    assert served.memory - before < 100
    assert are_cut_off(clients)


def test_those_that_send_a_byte_now_and_then_are_cut_off(served):
    clients = [served.connect() for _ in range(199)]
    for client in clients:
        client.sendall(b"GET / HTTP/1.1\r\nX: ")
    alive, end = clients, time.monotonic() + 4 * DEADLINE + PATIENCE
    while alive and time.monotonic() < end:
        assert served.answers()
        still = []
        for client in alive:
            with suppress(OSError):
                client.sendall(b"a")
                still.append(client)
        alive = still
        time.sleep(0.3)
    assert alive == []


def test_those_that_ask_and_never_read_are_cut_off(served):
    before = served.memory
    clients = [served.connect(buffer=4096) for _ in range(150)]
    for client in clients:
        client.sendall(b"GET /status.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for _ in range(10):
        assert served.answers()
    assert served.memory - before < 100
    time.sleep(2 * DEADLINE)
    assert are_cut_off(clients)


def test_ten_thousand_requests(served):
    paths = ("/", "/status.json", "/metrics", "/healthz")
    assert {served.get(path).status for path in paths} <= {200, 503}
    before, descriptors = served.memory, len(os.listdir(f"/proc/{served.process.pid}/fd"))
    answers: Counter[int] = Counter()

    def ask(path: str) -> None:
        for _ in range(1250):
            answers[served.get(path).status] += 1

    threads = [threading.Thread(target=ask, args=(path,)) for path in paths * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers[200] + answers[503] == 10_000
    assert served.memory - before < 30
    assert len(os.listdir(f"/proc/{served.process.pid}/fd")) < descriptors + 10


def test_wrong_tokens_are_told_and_lock_nobody_out(bare):
    token = bare.folder / "token"
    token.write_text("correct-horse-battery\n")
    token.chmod(0o600)
    served = Served(bare.make(), "--token-file", str(token))
    try:
        right = {"Authorization": "Bearer correct-horse-battery"}
        assert served.get("/", **right).status == 200
        wrong = [served.get("/", Authorization=f"Bearer wrong-{n}") for n in range(20)]
        assert [answer.status for answer in wrong] == [401] * 9 + [429] * 11
        assert wrong[-1].headers["Retry-After"] == "60"
        assert served.get("/", **right).status == 200
        assert served.get("/healthz").status == 200
        said = [line for line in served.said.splitlines() if "token" in line]
        assert said[1:] == [
            "hxm: a wrong token from 127.0.0.1",
            "hxm: 10 wrong tokens from 127.0.0.1 within 60 s",
        ]
        client = {"X-Forwarded-For": "203.0.113.7"}
        assert served.get("/", Authorization="Bearer wrong", **client).status == 401
        assert served.said.splitlines()[-1] == "hxm: a wrong token from 203.0.113.7"
    finally:
        served.process.kill()
        served.process.wait()
