#!/usr/bin/env python3
"""Storms a cluster of three nodes while its leader is killed, frozen or cut off. README.md says how and what for."""

import argparse
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from cluster import FAULTS, PASSWORD, Cluster, Failed, binaries
from storm import Storm

SKIPPED = 77

# A program that a run needs, and Debian's package with it.
TOOLS = {
    "etcd": "etcd-server",
    "patroni": "patroni",
    "psql": "postgresql-client",
    "ip": "iproute2",
    "bridge": "iproute2",
    "unshare": "util-linux",
    "setpriv": "util-linux",
}

# A new namespace for each, and a first process that collects the end of others. They all end with it.
NAMESPACES = [
    "setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child",
    "sh", "-c", 'mkdir -p /run/netns; "$@"; exit $?', "cluster",
]


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def require_tools():
    missing = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if binaries() is None:
        missing.append("postgresql")
    if missing:
        skip(f"the packages {', '.join(missing)} are missing")
    if os.geteuid() != 0 or subprocess.run(["unshare", "--net", "--pid", "--fork", "true"], check=False).returncode:
        skip("the cluster needs the right to make network namespaces, as root has it")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help="killed, frozen or cut-off; all by default")
    parser.add_argument("--asynchronous", action="store_true", help="without synchronous_mode: acts may be lost")
    parser.add_argument("--etcd3", action="store_true", help="Patroni uses version 3 of etcd's API: acts may be lost")
    parser.add_argument("--workers", type=int, default=8, help="processes at once")
    parser.add_argument("--wait", default="5s", help="--wait of each authctl")
    parser.add_argument("--logs", type=pathlib.Path, help="a directory to which the logs of the nodes are copied")
    parser.add_argument("--shell", action="store_true", help="run a shell beside the cluster instead")
    parser.add_argument("--inside", type=pathlib.Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def start():
    """Runs this program again, in namespaces of its own and with a directory of its own."""
    require_tools()
    authctl = os.environ.get("AUTHCTL")
    if not authctl or not os.access(authctl, os.X_OK):
        sys.exit("AUTHCTL does not name the program: AUTHCTL=target/debug/authctl tests/cluster/run.py")
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    directory = pathlib.Path(tempfile.mkdtemp(prefix="authctl-cluster-"))
    try:
        directory.chmod(0o755)
        shutil.copy(authctl, directory / "authctl")
        again = [*NAMESPACES, sys.executable, os.path.abspath(__file__), "--inside", directory, *sys.argv[1:]]
        return subprocess.run(again, check=False).returncode
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def run(options):
    directory = options.inside
    cluster = Cluster(directory, not options.asynchronous, "etcd3" if options.etcd3 else "etcd")
    storm = Storm(cluster, directory, options.workers, options.wait)
    cluster.make_database(storm.authctl)
    if options.shell:
        environment = os.environ | {"AUTHCTL_DB": cluster.url(), "PGPASSWORD": PASSWORD}
        subprocess.run([os.environ.get("SHELL", "sh")], env=environment, check=False)
        return 0
    chosen = [name.replace("-", " ") for name in options.faults]
    reports = []
    for fault in FAULTS:
        if not chosen or fault.name in chosen:
            report = storm.run(fault)
            print(report.text(), flush=True)
            reports.append(report)
    print()
    print(storm.table(reports))
    return 1 if any(report.problems for report in reports) else 0


def main():
    options = arguments()
    if not options.inside:
        sys.exit(start())
    try:
        sys.exit(run(options))
    except (Failed, subprocess.CalledProcessError) as error:
        print(f"error: {error}\n{getattr(error, 'stderr', '')}", file=sys.stderr)
        for log in sorted(options.inside.glob("*.log")):
            tail = log.read_text(errors="replace").splitlines()[-15:]
            print(f"\n{log.name}:", *tail, sep="\n", file=sys.stderr)
        sys.exit(1)
    finally:
        if options.logs:
            options.logs.mkdir(parents=True, exist_ok=True)
            for log in options.inside.glob("*.log"):
                shutil.copy(log, options.logs)


main()
