"""A cluster of three nodes, each in a network namespace of its own: etcd, Patroni and PostgreSQL.

It lives in namespaces for processes, mounts and the network, which run.py makes. They end with it, and all its processes
with them.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import urllib.request

NETWORK = "10.88.0"
CLIENTS = f"{NETWORK}.1"
PASSWORD = "loopback"
DATABASE = "app"

# How long the key of the leader lives without news of it. Patroni allows no less than 20 seconds.
TTL = 20


class Failed(Exception):
    """The cluster does not do what a run needs."""


def call(*words, **options):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, **options).stdout


def mac(number):
    return f"02:00:00:00:00:{number:02x}"


def binaries():
    """The directory with the server's programs: the newest version of Debian's."""
    found = pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return max((path.parent for path in found), key=lambda path: int(path.parent.name), default=None)


class Node:
    """One machine of the cluster."""

    def __init__(self, number, directory):
        self.number = number
        self.name = f"node{number}"
        self.address = f"{NETWORK}.{10 + number}"
        self.port = f"port{number}"
        self.directory = directory / self.name
        self.log = directory / f"{self.name}.log"

    def network(self):
        """Connects the node to the bridge. Every address is known, so that a cut is silent."""
        call("ip", "netns", "add", self.name)
        call("ip", "link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        call("ip", "link", "set", self.port, "master", "bridge", "up")
        self.inside("ip", "link", "set", "lo", "up")
        self.inside("ip", "link", "set", "eth0", "address", mac(10 + self.number), "up")
        self.inside("ip", "address", "add", f"{self.address}/24", "dev", "eth0")
        call("ip", "neigh", "replace", self.address, "lladdr", mac(10 + self.number), "dev", "bridge", "nud", "permanent")
        for other in (1, 11, 12, 13):
            if other != 10 + self.number:
                place = ("lladdr", mac(other), "dev", "eth0", "nud", "permanent")
                self.inside("ip", "neigh", "replace", f"{NETWORK}.{other}", *place)

    def inside(self, *words):
        return call("ip", "netns", "exec", self.name, *words)

    def start(self, *words):
        """Starts a program in the node as user postgres."""
        user = ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")
        with open(self.log, "ab") as log:
            command = ["ip", "netns", "exec", self.name, *user, *(str(word) for word in words)]
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory)

    def start_etcd(self, nodes):
        def at(node, port):
            return f"http://{node.address}:{port}"

        self.start(
            "etcd", "--name", self.name, "--data-dir", self.directory / "etcd",
            "--listen-client-urls", at(self, 2379), "--advertise-client-urls", at(self, 2379),
            "--listen-peer-urls", at(self, 2380), "--initial-advertise-peer-urls", at(self, 2380),
            "--initial-cluster", ",".join(f"{node.name}={at(node, 2380)}" for node in nodes),
            "--heartbeat-interval", "200", "--election-timeout", "2000", "--enable-v2",
        )

    def start_patroni(self):
        self.start("patroni", self.directory / "patroni.yml")

    def configure(self, nodes, synchronous, api):
        """Writes the configuration of Patroni, as JSON, which is YAML too."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(mode=0o700)
        role = {"username": "postgres", "password": PASSWORD}
        access = [
            "local all all trust",
            f"host all all {NETWORK}.0/24 scram-sha-256",
            f"host replication all {NETWORK}.0/24 scram-sha-256",
        ]
        configuration = {
            "scope": "authctl",
            "name": self.name,
            "restapi": {"listen": f"{self.address}:8008", "connect_address": f"{self.address}:8008"},
            api: {"hosts": [f"{node.address}:2379" for node in nodes]},
            "bootstrap": {
                "dcs": {
                    "ttl": TTL,
                    "loop_wait": 2,
                    "retry_timeout": 5,
                    "synchronous_mode": synchronous,
                    "postgresql": {
                        "use_pg_rewind": True,
                        "parameters": {
                            "max_connections": 60,
                            "shared_buffers": "32MB",
                            "wal_log_hints": True,
                            "wal_sender_timeout": "10s",
                            "wal_receiver_timeout": "10s",
                        },
                    },
                },
                "initdb": [{"encoding": "UTF8"}, {"locale": "C"}, "data-checksums"],
            },
            "postgresql": {
                "listen": f"{self.address}:5432",
                "connect_address": f"{self.address}:5432",
                "data_dir": str(self.directory / "data"),
                "pgpass": str(self.directory / "pgpass"),
                "bin_dir": str(binaries()),
                "authentication": {"superuser": role, "replication": role, "rewind": role},
                "pg_hba": access,
                "parameters": {"unix_socket_directories": str(self.directory)},
            },
        }
        (self.directory / "patroni.yml").write_text(json.dumps(configuration, indent=1))
        for path in (self.directory, self.directory / "patroni.yml"):
            shutil.chown(path, "postgres", "postgres")

    def signal(self, number):
        """Sends a signal to Patroni and to every process of PostgreSQL in the node, and to no other."""
        namespace = os.stat(f"/run/netns/{self.name}").st_ino
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                command = (process / "cmdline").read_bytes()
                is_here = os.stat(process / "ns/net").st_ino == namespace
                if is_here and (b"patroni" in command or b"postgres" in command):
                    os.kill(int(process.name), number)
            except (FileNotFoundError, ProcessLookupError):
                pass

    def set_cut(self, is_cut):
        """Makes the network drop every packet from and to the node, or carry them again."""
        call("bridge", "link", "set", "dev", self.port, "state", "0" if is_cut else "3")


class Cluster:
    def __init__(self, directory, synchronous, api):
        self.nodes = [Node(number, directory) for number in (1, 2, 3)]
        self.is_synchronous = synchronous
        call("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run/netns")
        call("ip", "link", "set", "lo", "up")
        call("ip", "link", "add", "bridge", "address", mac(1), "type", "bridge")
        call("ip", "link", "set", "bridge", "up")
        call("ip", "address", "add", f"{CLIENTS}/24", "dev", "bridge")
        for node in self.nodes:
            node.network()
            node.configure(self.nodes, synchronous, api)
        for node in self.nodes:
            node.start_etcd(self.nodes)
        for node in self.nodes:
            node.start_patroni()
        self.wait_until_whole()

    def url(self, role="authctl", database=DATABASE, target="read-write"):
        hosts = ",".join(node.address for node in self.nodes)
        rest = f"target_session_attrs={target}&connect_timeout=2&sslmode=disable"
        return f"postgres://{role}@{hosts}/{database}?{rest}"

    def sql(self, statement, role="authctl", database=DATABASE):
        """The answer of the leader."""
        environment = os.environ | {"PGPASSWORD": PASSWORD}
        words = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, self.url(role, database))
        return call(*words, env=environment).splitlines()

    def members(self):
        """What the first node that answers says of each."""
        for node in self.nodes:
            try:
                with urllib.request.urlopen(f"http://{node.address}:8008/cluster", timeout=1) as answer:
                    return {member["name"]: member for member in json.load(answer)["members"]}
            except (OSError, ValueError):
                pass
        return {}

    def leader(self):
        members = self.members()
        return next((node for node in self.nodes if members.get(node.name, {}).get("role") == "leader"), None)

    def wait_until_whole(self):
        """Waits for a leader that two nodes follow without delay, one of them synchronously."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            members = self.members().values()
            leaders = [member for member in members if member["role"] == "leader" and member["state"] == "running"]
            timeline = leaders[0].get("timeline") if leaders else None
            following = [
                member
                for member in members
                if member["role"] in ("replica", "sync_standby")
                and member["state"] in ("running", "streaming")
                and member.get("timeline") == timeline
                and member.get("lag") == 0
            ]
            has_synchronous = not self.is_synchronous or any(member["role"] == "sync_standby" for member in following)
            if len(leaders) == 1 and len(following) == 2 and has_synchronous:
                return
            time.sleep(0.5)
        raise Failed(f"the cluster is not whole after two minutes: {self.members()}")

    def make_database(self, authctl):
        self.sql(f"CREATE ROLE authctl LOGIN PASSWORD '{PASSWORD}'", "postgres", "postgres")
        self.sql(f"CREATE DATABASE {DATABASE} OWNER authctl", "postgres", "postgres")
        for node in self.nodes:
            self.wait_for_database(node)
        authctl("db", "init")

    def wait_for_database(self, node):
        """A standby that has not repeated CREATE DATABASE refuses a client, who then asks no other node, as in libpq."""
        for _ in range(100):
            socket = f"host={node.directory} user=postgres dbname={DATABASE}"
            if subprocess.run(["psql", "-XAtqc", "SELECT 1", socket], capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise Failed(f"{node.name} has no database after ten seconds")


class Fault:
    """A fault of one node, and its end."""

    def __init__(self, name, begin, end):
        self.name, self.begin, self.end = name, begin, end


FAULTS = [
    Fault("killed", lambda node: node.signal(signal.SIGKILL), lambda node: node.start_patroni()),
    Fault("frozen", lambda node: node.signal(signal.SIGSTOP), lambda node: node.signal(signal.SIGCONT)),
    Fault("cut off", lambda node: node.set_cut(True), lambda node: node.set_cut(False)),
]
