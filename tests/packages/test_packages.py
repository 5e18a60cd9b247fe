"""The Debian package and the bundle on clean hosts: installed, used, upgraded and purged.

All of it is thorough and left to `make test-packages`: it unpacks and upgrades whole Debians.
"""

from __future__ import annotations

import fcntl
import os

import pytest
from debian_host import Host

pytestmark = pytest.mark.thorough

SUITES = ("bookworm", "trixie")
INSTALL = "apt-get install -q -y --no-install-recommends"
SANDBOX = r"""
    hxm sandbox new /root/xen
    for tool in crm_mon cibadmin crm_resource crm_attribute crm_simulate crm_node; do
        printf '#!/bin/sh\nreal=/usr/sbin/%s\n' $tool >/usr/local/sbin/$tool
        echo '[ ! "$CIB_file" ] || exec $real "$@"
            CIB_file=/root/xen/cib.xml exec flock /root/xen/lock $real "$@"' >>/usr/local/sbin/$tool
        chmod 755 /usr/local/sbin/$tool
    done
"""
"""Lets the cluster in a file answer for the host's cluster, also to the guard."""
SCHEDULER = """
    while sleep 0.3; do
        CIB_file= crm_simulate -SX -Q --xml-file=/root/xen/cib.xml >/dev/null 2>&1
    done &
"""
"""Lets that cluster move by itself."""
XL = r"""
    cat >/usr/local/sbin/xl <<'END'
#!/bin/sh
case "$1" in
list) printf 'Name                                        ID   Mem VCPUs\tState\tTime(s)\n'
    printf 'Domain-0                                     0   768     1     r-----     263.4\n' ;;
console) for name; do :; done; echo "login of $name"; exec cat ;;
esac
END
    chmod 755 /usr/local/sbin/xl
"""
"""A toolstack with dom0 and consoles: the real one needs a hypervisor."""
SSHD = """
    mkdir -p /run/sshd /root/.ssh
    ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
    cp /root/.ssh/id_ed25519.pub /root/.ssh/authorized_keys
    printf '127.0.0.1 localhost host1 host2\n' >/etc/hosts
    for program in uname crm_node; do
        printf '#!/bin/sh\necho host1\n' >/usr/local/sbin/$program
        chmod 755 /usr/local/sbin/$program
    done
    /usr/sbin/sshd -o ListenAddress=127.0.0.1 -o SetEnv=PATH=/usr/local/sbin:/usr/bin:/bin
    echo "host1,host2 $(cat /etc/ssh/ssh_host_ed25519_key.pub)" >/root/.ssh/known_hosts
"""
"""Makes a node of the host, which the host's own ssh leads to."""
NO_XEN = "Can't find hypervisor information"
"""What only the real xl says here."""
REFUSED, CANNOT_ASK = 107, 102
PROBE = """
probe() {
    while [ ! -e /root/enough ]; do
        status=0
        said=$(xl destroy nfs 2>&1) || status=$?
        echo "$status $said" | tr '\\n' ' '
        echo
        sleep 0.1
    done
}
probe >/root/probed 2>&1 &
sleep 1
"$@"
sleep 1
touch /root/enough
wait
rm /root/enough
"""
"""Carries out its words while somebody types `xl destroy` of a managed domU all the time."""


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    """The packages' folder, for all that test at the same time."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "packages"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def host(tmp_path_factory, out):
    """Makes hosts, and throws them away after the test."""
    made: list[Host] = []

    def make(suite: str) -> Host:
        made.append(Host(suite, tmp_path_factory.mktemp(suite), out))
        return made[-1]

    yield make
    for each in made:
        each.throw_away()


def build(make, suite: str, name: str, to: str) -> None:
    """Let `make deb` or `make bundle` put its file into a folder."""
    tools = "python3-venv binutils patchelf"
    make(suite).run(f"{INSTALL} {tools}; /src/.ci/{name} /usr/bin/python3 {to}", network=True)


@pytest.fixture
def package(host, out):
    """The file of the package for a suite; built once."""

    def of(suite: str) -> str:
        folder = out / suite
        with open(out / f"{suite}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                build(host, suite, "deb", f"/out/{suite}")
        return f"/out/{suite}/{next(folder.glob('hxm*')).name}"

    return of


def next_version(host: Host, package: str) -> str:
    """A package of a later version, whose guard is another as well; in no folder that is shared."""
    host.run(
        """
        dpkg-deb -R "$1" /tmp/next
        sed -i 's/^Version: .*/Version: 9.9+py3/' /tmp/next/DEBIAN/control
        cd /tmp/next/usr/lib/hxm/lib/python3*/site-packages/hxm
        sed -i '2i # of the next version' guard/wrapper.sh
        sed -i 's/^__version__ = .*/__version__ = "9.9"/' __init__.py
        cd /
        dpkg-deb -Znone -b /tmp/next /root/next-version.deb
        rm -r /tmp/next
        """,
        package,
    )
    return "/root/next-version.deb"


def guard(host: Host) -> None:
    """Install the guard on the host, with a cluster that it can ask."""
    host.run(f"{SANDBOX} hxm guard install")
    assert_guarded(host)


def assert_guarded(host: Host) -> None:
    """It is, whatever the status: that also tells that no other node can be asked here."""
    assert "/usr/sbin/xl is guarded\n" in host.try_out("hxm guard status")[1]
    assert host.try_out("xl destroy nfs")[0] == REFUSED


def probed(host: Host) -> None:
    """What the person was told each time; never by the real xl, which finds no hypervisor."""
    said = host.run("cat /root/probed; rm /root/probed").splitlines()
    assert said, "nobody typed anything"
    assert not [line for line in said if NO_XEN in line]
    assert {line.split()[0] for line in said} <= {"102", "107"}, said


def test_debian_12_becomes_13_under_the_guard(host, package):
    here = host("bookworm")
    here.run(f"dpkg -i {package('bookworm')}")
    guard(here)
    here.run("sed -i s/bookworm/trixie/ /etc/apt/sources.list; apt-get update -q", network=True)
    upgrade = "apt-get full-upgrade -q -y -o Dpkg::Options::=--force-confold"
    here.run(PROBE, "sh", "-c", f"{upgrade} && apt-get autoremove -q -y", network=True)
    probed(here)
    assert here.run("cat /etc/debian_version").startswith("13")
    assert here.run("python3 --version").startswith("Python 3.13")
    assert_guarded(here)
    here.run(PROBE, "dpkg", "-i", package("trixie"))
    probed(here)
    assert here.run("/usr/lib/hxm/bin/python --version").startswith("Python 3.13")
    assert_guarded(here)
    here.run("! ls -d /usr/lib/hxm/lib/python3.11")
    removed = here.run("apt-get autoremove -q -y; dpkg --purge hxm")
    assert "python3.11" in removed
    assert NO_XEN in here.try_out("xl destroy nfs")[1]


def test_lintian_finds_no_error(host, package):
    files = " ".join(map(package, SUITES))
    status, found = host("trixie").try_out(
        f"{INSTALL} lintian >/dev/null 2>&1; lintian --fail-on error {files}", network=True
    )
    assert status == 0, found


@pytest.mark.parametrize("suite", SUITES)
def test_it_is_installed_used_and_purged(host, package, suite):
    here = host(suite)
    file = package(suite)
    here.run(f"{INSTALL} $(dpkg-deb --field {file} Depends | tr -d ,)", network=True)
    before = here.files()
    here.run(f"dpkg -i {file}")
    here.run("/src/tests/demo /usr/lib/hxm/bin/python")
    here.run("test -e /usr/share/man/man8/hxm.8.gz; hxm --help | grep -q Usage")
    guard(here)
    here.run("dpkg --purge hxm; rm -r /root/xen /usr/local/sbin/*")
    assert here.files() == before


@pytest.mark.parametrize("suite", SUITES)
def test_a_cluster_is_reached_through_ssh(host, package, suite):
    here = host(suite)
    file = package(suite)
    here.run(f"{INSTALL} openssh-client openssh-server", network=True)
    here.run(f"dpkg -i {file}")
    said = here.run(
        f"""
        {SANDBOX}
        {SSHD}
        export HXM_ON=ssh://root@host1,host2
        hxm list
        hxm standby host1 --dry-run
        {XL} {SCHEDULER}
        hxm migrate nfs host2
        hxm migrate nfs host1
        hxm standby host1 --yes
        hxm active host1
        hxm console sles
        while sleep 3; do printf '\\035'; done | script -qec 'hxm console sles' /dev/null
        """
    )
    assert "sles                                         -   512     1     -" in said
    assert "nfs: move host1 -> host2, live" in said
    for moved in ("host1 -> host2", "host2 -> host1"):
        assert f"nfs: {moved}, live" in said
    assert "host1 is in standby and the cluster runs nothing on it" in said
    assert "login of sles" in said
    assert "left the console of sles on host2; sles still runs" in said
    assert here.try_out("hxm --on ssh://root@host1 list")[0] == CANNOT_ASK  # its sshd has ended
    here.run("! ls -d /tmp/hxm*")


@pytest.mark.parametrize("suite", SUITES)
def test_an_upgrade_renews_the_guard_and_never_takes_it_away(host, package, suite):
    here = host(suite)
    file = package(suite)
    here.run(f"dpkg -i {file}")
    guard(here)
    later = next_version(here, file)
    here.run("! grep -q 'of the next version' /usr/sbin/xl.hxm-guard")
    here.run(PROBE, "dpkg", "-i", later)
    probed(here)
    here.run("grep -q 'of the next version' /usr/sbin/xl.hxm-guard; hxm --version | grep -q 9.9")
    assert_guarded(here)


@pytest.mark.parametrize("suite", SUITES)
def test_the_bundle_needs_neither_python_nor_the_libraries_of_the_host(host, suite):
    """Built on this suite, it runs on an older one."""
    build(host, suite, "bundle", f"/out/bundle-{suite}")
    here = host("bullseye")
    here.run(f"tar -xzf /out/bundle-{suite}/hxm* -C /opt; rm /usr/bin/python3*")
    here.run("/src/tests/demo /opt/hxm/bin/python; ln -s /opt/hxm/bin/hxm /usr/local/sbin/")
    guard(here)
    here.run(f"{INSTALL} busybox-static", network=True)
    here.run(
        """
        mkdir /bare /bare/bin /bare/proc /bare/dev /bare/tmp
        cp /bin/busybox /bare/bin/
        ln -s busybox /bare/bin/sh
        ln -s busybox /bare/bin/readlink
        mv /opt /bare/
        chroot /bare /opt/hxm/bin/hxm --version
        """
    )
