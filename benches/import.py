#!/usr/bin/env python3
"""Compares `authctl import` with `.import` of sqlite3 of the same rows into the same tables and indexes.

Makes users with a password, imports them with the build for shipping, and hands the rows that are then in the database, those of
the log included, to sqlite3 in one transaction each table. Prints the CPU time of both (user and system) in seconds and
microseconds a user, the ratio, and the peak memory of both in MiB. The page cache of sqlite3 has CACHE KiB: 2000 is what it has
by itself, and 65536, as here by default, is what makes it fast.

    packaging/build.sh && benches/import.py [USERS [ROUNDS [CACHE]]]
"""

import base64
import csv
import hashlib
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

USERS = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3
CACHE = int(sys.argv[3]) if len(sys.argv) > 3 else 65_536
AUTHCTL = Path(os.environ.get("AUTHCTL", Path(__file__).parent.parent / "target/dist/authctl")).resolve()
# authctl writes users in the order of their ids. sqlite3 gets users and accounts in the order of the file.
TABLES = {
    "user": ("user", 'CAST(substr("name", length(\'User Number \') + 1) AS INTEGER)'),
    "account": ("account", '"id"'),
    "log": ("authctl_audit", '"seq"'),
}

# A column of numbers takes no empty text, and .import knows no NULL: 0 and '' stand for it, and the indexes of what is not
# NULL, which no imported row is in, are left out.
IMPORT = f"""
PRAGMA journal_mode = WAL;
PRAGMA cache_size = -{CACHE};
DROP TRIGGER authctl_only_user;
DROP TRIGGER authctl_only_account;
DROP INDEX user_role_idx;
DROP INDEX authctl_audit_actor;
DROP INDEX authctl_audit_actorEmail;
DELETE FROM "user";
DELETE FROM "authctl_audit";
.mode csv
.import user.csv user
.import account.csv account
.import log.csv authctl_audit
INSERT INTO "authctl_search" ("rowid", "email", "name") SELECT "rowid", "email", "name" FROM "user";
"""


def text(number: int, part: str, length: int) -> str:
    digest = hashlib.sha256(f"{number} {part}".encode()).digest()[:length]
    return base64.b64encode(digest).decode().rstrip("=")


def users(path: Path) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["id", "email", "name", "email_verified", "created_at", "updated_at", "password_hash"])
        for number in range(USERS):
            name = hashlib.sha256(str(number).encode()).hexdigest()
            made = f"2024-01-{number % 28 + 1:02}T10:00:00Z"
            hash_ = f"$argon2id$v=19$m=19456,t=2,p=1${text(number, 'salt', 16)}${text(number, 'hash', 32)}"
            email = f"user{number}.{name[:4]}@example.com"
            rows.writerow([name[:32], email, f"User Number {number}", "true", made, made, hash_])


def run(command: list, **options) -> tuple[float, int]:
    """The CPU time of a command in seconds, and its most memory in KiB."""
    text = options.pop("input", None)
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+") as told:
        given.write(text or "")
        given.seek(0)
        process = subprocess.Popen(command, stdin=given, stdout=subprocess.DEVNULL, stderr=told, **options)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        errors = told.read()
    assert process.returncode == 0 and "failed" not in errors, errors[:400]
    return used.ru_utime + used.ru_stime, used.ru_maxrss


def dump(database: Path, directory: Path) -> None:
    connection = sqlite3.connect(database)
    for name, (table, order) in TABLES.items():
        kinds = [row[2] for row in connection.execute(f'PRAGMA table_info("{table}")')]
        with (directory / f"{name}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            for row in connection.execute(f'SELECT * FROM "{table}" ORDER BY {order}'):
                empty = [0 if kind == "INTEGER" else "" for kind in kinds]
                rows.writerow([empty[at] if value is None else value for at, value in enumerate(row)])
    connection.close()


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        home = Path(directory)
        env = {"HOME": directory, "PATH": os.environ["PATH"]}
        users(home / "users.csv")
        totals = [0.0, 0.0]
        for number in range(ROUNDS):
            database, other = home / f"{number}.db", home / f"{number}-other.db"
            ours, memory = run([AUTHCTL, "--db", database, "import", "users.csv"], cwd=home, env=env)
            if number == 0:
                dump(database, home)
            run([AUTHCTL, "--db", other, "db", "init"], cwd=home, env=env)
            theirs, other_memory = run(["sqlite3", other], cwd=home, env=env, input=IMPORT)
            assert sqlite3.connect(other).execute('SELECT count(*) FROM "user"').fetchone() == (USERS,)
            totals = [totals[0] + ours, totals[1] + theirs]
            both = f"authctl {ours:.2f} s, {memory / 1024:.0f} MiB, .import {theirs:.2f} s, {other_memory / 1024:.0f} MiB"
            print(f"{both}, {ours / theirs:.2f} x", flush=True)
            database.unlink()
            other.unlink()
        each = [total / ROUNDS / USERS * 1e6 for total in totals]
        print(f"authctl {each[0]:.1f} us a user, .import {each[1]:.1f} us, {each[0] / each[1]:.2f} x")


if __name__ == "__main__":
    main()
