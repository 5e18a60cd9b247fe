"""What is answered to whom: read only, nothing without the token, the truth on a lost cluster."""

from __future__ import annotations

import io
import json
import threading
import time
from types import SimpleNamespace
from wsgiref.validate import validator

import pytest
from factories import cluster, domain

from hxm.errors import UsageError
from hxm.output import as_json
from hxm.web import app, auth
from hxm.web.app import Site
from hxm.web.auth import Gate, read_token
from hxm.web.client_address import is_here, place_of
from hxm.web.server import _has_enough
from hxm.web.snapshot import Snapshot

TOKEN = "correct-horse-battery"
SEEN = cluster(domain("nfs", "host1"), name="xen")
WELL = Snapshot(SEEN, (), 1_800_000_000.0, 3.0)
LOST = WELL._replace(fault="no connection to 10.0.0.1", age=300.0)
NEVER = Snapshot(fault="no connection")


class Asker:
    def __init__(self, known: Snapshot) -> None:
        self.now = known

    def known(self) -> Snapshot:
        return self.now


class Answer:
    def __init__(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.body = int(status[:3]), body.decode()
        self.headers = {name.lower(): value for name, value in headers}
        self.all = f"{status}{headers}{self.body}"


def asked(
    known: Snapshot = WELL, path: str = "/", method: str = "GET", *, gate=None, body=b"", **headers
) -> Answer:
    """A request, held to PEP 3333 by wsgiref's validator."""
    return ask(Site(Asker(known), gate), path, method, body=body, **headers)


def ask(application, path: str = "/", method: str = "GET", *, body=b"", **headers) -> Answer:
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "host1",
        "SERVER_PORT": "9685",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "127.0.0.1:9685",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **headers,
    }
    got = []
    parts = validator(application)(environ, lambda *head: got.append(head))
    status, headers, *_ = got[0]
    answer = Answer(status, headers, b"".join(parts))
    parts.close()  # type: ignore[attr-defined]  # the validator's
    return answer


PATHS = ("/", "/status.json", "/metrics", "/healthz")


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_there(path):
    answer = asked(path=path)
    assert answer.status == 200
    assert int(answer.headers["content-length"]) == len(answer.body.encode())


@pytest.mark.parametrize("path", [*PATHS, "/nothing"])
def test_head_is_get_without_the_body(path):
    got, head = asked(path=path), asked(path=path, method="HEAD")
    assert head.body == ""
    assert head.status == got.status
    assert head.headers == got.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", [*PATHS, "/login"])
def test_nothing_can_be_done_but_to_read(method, path):
    answer = asked(path=path, method=method)
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    if (path, method) != ("/login", "POST"):
        guarded = asked(path=path, method=method, gate=Gate(TOKEN.encode()))
        assert guarded.status == 405


@pytest.mark.parametrize("path", ["/nothing", "/../etc/passwd", "//", "/login", "/\x00", "/é"])
def test_there_is_nothing_else(path):
    answer = asked(path=path)
    assert answer.status == 404
    assert "/metrics" in answer.body


@pytest.mark.parametrize("path", [*PATHS, "/nothing"])
def test_no_browser_may_do_more_with_it_than_show_it(path):
    headers = asked(path=path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert headers["content-security-policy"].endswith("frame-ancestors 'none'")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers


def test_json_is_what_hxm_status_says_and_how_old_it_is():
    said = json.loads(asked(path="/status.json").body)
    when = said.pop("asked")
    assert said == json.loads(json.dumps(as_json.status_json(SEEN, ())))
    assert when == {"at": 1_800_000_000.0, "age": 3.0, "fault": None}


@pytest.mark.parametrize("known", [LOST, NEVER], ids=["lost", "never seen"])
def test_a_lost_cluster_is_200_for_people_and_503_for_programs(known):
    assert asked(known, "/").status == 200
    assert "no connection" in asked(known, "/").body
    assert asked(known, "/healthz").status == 503
    assert asked(known, "/metrics").status == 200
    assert "\nhxm_up 0.0\n" in asked(known, "/metrics").body
    answer = asked(known, "/status.json")
    assert answer.status == 503
    assert json.loads(answer.body)["asked"]["fault"] == known.fault
    assert ("domains" in json.loads(answer.body)) == bool(known.cluster)


def test_health_is_told_to_everybody_and_gives_nothing_away():
    for known in (WELL, LOST, NEVER):
        answer = asked(known, "/healthz", gate=Gate(TOKEN.encode()), HTTP_HOST="elsewhere")
        assert "10.0.0.1" not in answer.body
    assert asked(LOST, "/healthz").body == "the cluster cannot be asked, last seen 5 min ago\n"


def test_a_page_is_made_once_however_many_ask_for_it(monkeypatch):
    made = []

    def page(known):
        made.append(known)
        return app.Reply("200 OK", "x")

    monkeypatch.setitem(app._PAGES, "/", page)
    poller = Asker(WELL)
    application = Site(poller)
    threads = [threading.Thread(target=ask, args=(application,)) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(made) == 1
    for changed in ({"age": 4.2}, {"looks": 2}, {"fault": "x"}):
        poller.now = poller.now._replace(**changed)
        ask(application)
        ask(application)
    assert len(made) == 4


# Without a token

HOSTS = {
    "127.0.0.1:9685": 200,
    "localhost": 200,
    "localhost:9685": 200,
    "[::1]:9685": 200,
    "evil.example:9685": 403,
    "127.0.0.1.evil.example": 403,
    "localhost.evil.example:80": 403,
    "": 403,
}


@pytest.mark.parametrize("host", HOSTS)
def test_a_foreign_name_that_leads_here_reads_nothing(host):
    answer = asked(HTTP_HOST=host)
    assert answer.status == HOSTS[host]
    assert ("nfs" in answer.body) == (answer.status == 200)


def test_the_address_that_it_listens_on_is_its_own():
    application = Site(Asker(WELL), None, ("127.0.0.2", "Host1"))
    for host in ("127.0.0.2:9685", "127.0.0.2", "host1:9685", "localhost"):
        assert ask(application, HTTP_HOST=host).status == 200
    for host in ("127.0.0.3:9685", "host2", "127.0.0.2.evil.example:9685"):
        assert ask(application, HTTP_HOST=host).status == 403


# With a token


def door() -> Gate:
    return Gate(TOKEN.encode())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"HTTP_AUTHORIZATION": "Bearer"},
        {"HTTP_AUTHORIZATION": "Bearer wrong"},
        {"HTTP_AUTHORIZATION": f"Basic {TOKEN}"},
        {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}x"},
        {"HTTP_AUTHORIZATION": "Bearer \xff\xfe"},
        {"HTTP_COOKIE": "hxm="},
        {"HTTP_COOKIE": f"hxm={TOKEN}"},
        {"HTTP_COOKIE": "hxm=9999999999.00"},
        {"HTTP_COOKIE": "hxm=x.y"},
        {"HTTP_COOKIE": "hxm=²." + "0" * 64},
        {"HTTP_COOKIE": "\x00; ;;=hxm"},
        {"QUERY_STRING": f"token={TOKEN}"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/status.json", "/metrics", "/nothing"])
def test_without_the_token_nothing_of_the_cluster_is_told(path, headers):
    answer = asked(path=path, gate=door(), **headers)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert "nfs" not in answer.body
    assert "xen" not in answer.body
    assert TOKEN not in answer.all


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_token_opens_every_page_by_whatever_name(scheme):
    for path in ("/", "/status.json", "/metrics"):
        headers = {"HTTP_AUTHORIZATION": f"{scheme} {TOKEN}", "HTTP_HOST": "xen.example"}
        assert asked(path=path, gate=door(), **headers).status == 200


def test_a_browser_shows_the_token_once_and_then_a_cookie(monkeypatch):
    assert 'type="password"' in asked(gate=door()).body
    wrong = asked(path="/login", method="POST", gate=door(), body=b"token=nonsense-nonsense")
    assert wrong.status == 401
    assert "That is not the token." in wrong.body
    assert "set-cookie" not in wrong.headers
    body = f"token=+{TOKEN}%0D%0A".encode()
    right = asked(path="/login", method="POST", gate=door(), body=body)
    assert (right.status, right.headers["location"]) == (303, "./")
    assert TOKEN not in right.all
    cookie, *flags = right.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={auth.STAY}"} == set(flags)
    assert asked(gate=door(), HTTP_COOKIE=cookie).status == 200
    assert asked(gate=door(), HTTP_COOKIE=f"other=1; {cookie}").status == 200
    for foreign in ('foo={"x":1}', "foo=a b", "\xff", "hxm=1.2", "expires=,;"):
        assert asked(gate=door(), HTTP_COOKIE=f"{foreign}; {cookie}; {foreign}").status == 200
    assert asked(gate=Gate(b"another-token-of-today"), HTTP_COOKIE=cookie).status == 401
    name, until, proof = cookie.replace("=", ".", 1).split(".")
    assert asked(gate=door(), HTTP_COOKIE=f"{name}={int(until) + 1}.{proof}").status == 401
    later = time.time() + auth.STAY + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert asked(gate=door(), HTTP_COOKIE=cookie).status == 401


RIGHT, WRONG = ({"HTTP_AUTHORIZATION": f"Bearer {token}"} for token in (TOKEN, "wrong"))


def test_wrong_tokens_are_counted_and_never_lock_out_the_right_one():
    now = [1000.0]
    said: list[str] = []
    gate = Gate(TOKEN.encode(), said.append, lambda: now[0])
    there, elsewhere = {"REMOTE_ADDR": "10.0.0.9"}, {"REMOTE_ADDR": "10.0.0.8"}
    for _ in range(auth.MOST_WRONG - 1):
        assert asked(gate=gate, **there, **WRONG).status == 401
    answer = asked(gate=gate, **there, **WRONG)
    assert (answer.status, answer.headers["retry-after"]) == (429, "60")
    assert asked(gate=gate, **there, **RIGHT).status == 200
    login = asked(path="/login", method="POST", gate=gate, body=f"token={TOKEN}".encode(), **there)
    assert login.status == 303
    assert asked(gate=gate, **there, **WRONG).status == 429
    assert asked(gate=gate, **elsewhere, **WRONG).status == 401
    assert said == [
        "a wrong token from 10.0.0.9",
        "10 wrong tokens from 10.0.0.9 within 60 s",
        "a wrong token from 10.0.0.8",
    ]
    now[0] += auth.MINUTE
    assert asked(gate=gate, **there, **WRONG).status == 401


def test_behind_a_proxy_of_this_host_its_client_counts():
    said: list[str] = []
    gate = Gate(TOKEN.encode(), said.append)
    for client in ("203.0.113.7", "10.1.1.1, 203.0.113.7"):
        gate.knows("wrong", {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": client})
    for client in ("", "nonsense", "\x1b[2J"):
        gate.knows("wrong", {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": client})
    gate.knows("wrong", {"REMOTE_ADDR": "10.0.0.9", "HTTP_X_FORWARDED_FOR": "127.0.0.1"})
    assert said == [
        f"a wrong token from {place}" for place in ("203.0.113.7", "127.0.0.1", "10.0.0.9")
    ]


def test_who_has_many_addresses_fills_no_memory():
    gate = Gate(TOKEN.encode())
    for number in range(3000):
        gate.knows("wrong", {"REMOTE_ADDR": f"10.0.{number >> 8}.{number & 255}"})
    assert len(gate._wrong) <= 1000
    for number in range(auth.MOST_WRONG):
        gate.knows("wrong", {"REMOTE_ADDR": f"2001:db8::{number:x}"})
    assert gate.is_tired_of({"REMOTE_ADDR": "2001:db8::ffff"})
    assert not gate.is_tired_of({"REMOTE_ADDR": "2001:db8:1::1"})


PLACES = {
    "10.0.0.9": ("10.0.0.9", False),
    "2001:db8::1": ("2001:db8::/64", False),
    "fe80::1%eth0": ("fe80::/64", False),
    "::ffff:10.0.0.9": ("10.0.0.9", False),
    "::ffff:127.0.0.1": ("127.0.0.1", True),
    "127.0.0.2": ("127.0.0.2", True),
    "::1": ("::1", True),
}


@pytest.mark.parametrize(("address", "known"), PLACES.items(), ids=PLACES)
def test_an_ipv6_network_is_one_place(address, known):
    assert (place_of(address), is_here(address)) == known


def test_one_place_has_no_more_connections_than_others_leave():
    channels = {number: SimpleNamespace(addr=(f"2001:db8::{number:x}", 1)) for number in range(50)}
    serving = SimpleNamespace(active_channels=channels)
    assert _has_enough(serving, "2001:db8::ffff")
    assert not _has_enough(serving, "2001:db8:1::1")
    assert not _has_enough(serving, "::1")


def test_a_cookie_that_came_by_tls_goes_by_nothing_else():
    assert "Secure" not in door().cookie({})
    assert door().cookie({"HTTP_X_FORWARDED_PROTO": "https"}).endswith("; Secure")


@pytest.mark.parametrize("body", [b"", b"token", b"token=", b"\xff", b"a=b&token=%ff", b"x" * 9999])
def test_a_login_that_makes_no_sense_is_refused(body):
    assert asked(path="/login", method="POST", gate=door(), body=body).status == 401


# The token's file


def token_file(path, text: bytes, mode: int) -> str:
    path.write_bytes(text)
    path.chmod(mode)
    return str(path)


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o640, 0o440])
def test_a_token_that_only_owner_and_group_read(tmp_path, mode):
    assert read_token(token_file(tmp_path / "t", TOKEN.encode() + b"\n", mode)) == TOKEN.encode()


BAD = {
    "others read it": (TOKEN.encode(), 0o644, "others may read or change"),
    "others write it": (TOKEN.encode(), 0o602, "others may read or change"),
    "the group writes it": (TOKEN.encode(), 0o660, "others may read or change"),
    "short": (b"secret\n", 0o600, "one word of 16 characters or more"),
    "empty": (b"", 0o600, "one word of 16 characters or more"),
    "words": (b"correct horse battery", 0o600, "one word of 16 characters or more"),
    "binary": (b"\xff" * 20, 0o600, "one word of 16 characters or more"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_token_that_is_none_is_never_taken_nor_shown(tmp_path, name):
    text, mode, said = BAD[name]
    with pytest.raises(UsageError) as caught:
        read_token(token_file(tmp_path / "t", text, mode))
    assert said in caught.value.message
    assert "secret" not in caught.value.message + caught.value.hint


def test_a_token_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        read_token(str(tmp_path / "none"))
