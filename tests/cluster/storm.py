"""Processes of authctl that act on a cluster during a fault, and what must be true of their answers afterwards."""

import dataclasses
import json
import os
import subprocess
import threading
import time

from cluster import PASSWORD, Failed

USER_PASSWORD = "correct horse battery staple"

# Seconds of storm before the fault, from the first success after it to its end, and after its end.
BEFORE = 10
DURING = 10
AFTER = 15

# How long no act may succeed before a run gives up.
PAUSE_MAX = 120

# Far more than authctl may take: its own limit is ten seconds more than --wait, for each answer.
HANGS = 90

DONE, UNKNOWN = 0, 76

# Nothing was done: the connection broke or the database was busy; no server could be used.
NOT_DONE = {75, 9}


# How many problems of one kind are printed.
SHOWN = 3


@dataclasses.dataclass
class Act:
    kind: str
    email: str
    is_cut: bool
    began: float
    ended: float
    code: int
    output: str

    def __str__(self):
        said = [line for line in self.output.splitlines() if not line.startswith("note: ")]
        place = " on the leader's machine" if self.is_cut else ""
        took = self.ended - self.began
        return f"{self.kind} {self.email}{place}, exit {self.code} after {took:.1f} s: {' / '.join(said)}"


@dataclasses.dataclass
class Report:
    """What a run has shown."""

    fault: str
    acts: list
    there: set
    pause: float
    new_leader: bool
    problems: list

    def count(self, code):
        return sum(1 for act in self.acts if act.code == code)

    def row(self):
        unknown = [act for act in self.acts if act.code == UNKNOWN]
        done = sum(1 for act in unknown if (act.kind, act.email) in self.there)
        acknowledged = [act for act in self.acts if act.code == DONE]
        found = sum(1 for act in acknowledged if (act.kind, act.email) in self.there)
        refused = sum(1 for act in self.acts if act.code in NOT_DONE)
        other = len(self.acts) - len(acknowledged) - len(unknown) - refused
        slowest = max(act.ended - act.began for act in self.acts)
        return [
            self.fault, len(acknowledged), found, len(acknowledged) - found, f"{len(unknown)} ({done} done)", refused, other,
            f"{self.pause:.1f} s", f"{slowest:.1f} s",
        ]

    def text(self):
        lines = [f"{self.fault}: {'another node leads' if self.new_leader else 'the same node leads'}"]
        kinds = {}
        for problem in self.problems:
            kinds.setdefault(problem.split(":")[0], []).append(problem)
        for problems in kinds.values():
            lines += [f"  {problem}" for problem in problems[:SHOWN]]
            if len(problems) > SHOWN:
                lines.append(f"  and {len(problems) - SHOWN} more")
        return "\n".join(lines)


HEADS = ["leader", "acknowledged", "found", "lost", "unknown", "not done", "other", "pause", "slowest"]


class Storm:
    def __init__(self, cluster, directory, workers, wait):
        self.cluster, self.workers, self.wait = cluster, workers, wait
        self.program = directory / "authctl"
        self.directory = directory / "storm"
        self.directory.mkdir()
        self.password = self.directory / "password"
        self.password.touch(mode=0o600)
        self.password.write_text(USER_PASSWORD)
        self.runs = 0

    def process(self, *words, place="own", node=None):
        """Runs authctl beside the cluster, or in a node. In a place of its own it ends no session of another user."""
        inside = ["ip", "netns", "exec", node.name] if node else []
        home = self.directory / place
        home.mkdir(exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "PGPASSWORD": PASSWORD,
            "AUTHCTL_DB": self.cluster.url(),
        }
        words = [*inside, self.program, "--wait", self.wait, "--no-input", *words]
        return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=HANGS, check=False)

    def authctl(self, *words):
        ran = self.process(*words)
        if ran.returncode != 0:
            raise Failed(f"authctl {' '.join(words)}: exit {ran.returncode}: {ran.stdout}{ran.stderr}")
        return ran.stdout

    def worker(self, number, node, stop, acts):
        """Signs a user up and in and ends the session, one user after the other, until an act is not acknowledged."""
        def act(kind, email, *words):
            began = time.monotonic()
            try:
                ran = self.process(*words, place=email, node=node)
                code, output = ran.returncode, ran.stderr
            except subprocess.TimeoutExpired:
                code, output = -1, f"no end within {HANGS} s"
            acts.append(Act(kind, email, node is not None, began, time.monotonic(), code, output))
            return code == DONE

        user = 0
        while not stop.is_set():
            user += 1
            email = f"run{self.runs}-{number}-{user}@example.com"
            secret = ("--password-file", self.password)
            if (
                act("sign-up", email, "signup", email, "--name", "Storm", "--no-signin", *secret)
                and act("sign-in", email, "signin", email, *secret)
                and user % 2 == 0
            ):
                act("revocation", email, "sessions", "revoke", "--user", email)

    def run(self, fault):
        """One storm with one fault of the leader. Two processes more run on the leader's machine itself."""
        self.runs += 1
        leader = self.cluster.leader()
        if leader is None:
            raise Failed("no node leads")
        stop, acts = threading.Event(), []
        places = [None] * self.workers + [leader] * 2
        threads = [
            threading.Thread(target=self.worker, args=(number, node, stop, acts), daemon=True)
            for number, node in enumerate(places)
        ]
        for thread in threads:
            thread.start()
        time.sleep(BEFORE)
        began = time.monotonic()
        fault.begin(leader)
        self.wait_for_success(acts, began + 1, PAUSE_MAX)
        time.sleep(DURING)
        new_leader = self.cluster.leader() is not leader
        fault.end(leader)
        time.sleep(AFTER)
        stop.set()
        for thread in threads:
            thread.join(2 * HANGS)
        self.cluster.wait_until_whole()
        return self.report(fault, acts, began, new_leader)

    def wait_for_success(self, acts, since, limit):
        """Waits for an act that begins after a moment and is acknowledged, away from the leader's machine."""
        end = since + limit
        while not any(act.code == DONE and act.began > since and not act.is_cut for act in list(acts)):
            if time.monotonic() > end:
                raise Failed(f"no act succeeds within {limit} s; the last: {acts[-1] if acts else None}")
            time.sleep(0.1)

    def there(self):
        """What the leader has: each act by its entry of the audit log."""
        kinds = {"user.created": "sign-up", "session.begun": "sign-in", "session.ended": "revocation"}
        rows = self.cluster.sql('SELECT "event", "userEmail" FROM authctl.authctl_audit ORDER BY "seq"')
        entries = [row.split("|") for row in rows]
        return [(kinds[event], email) for event, email in entries if event in kinds]

    def report(self, fault, acts, began, new_leader):
        entries = self.there()
        there = set(entries)
        problems = []

        def problem(words, act):
            problems.append(f"{words}: {act}")

        for act in acts:
            is_there = (act.kind, act.email) in there
            if act.code == DONE and not is_there:
                problem("acknowledged and lost", act)
            elif act.code in NOT_DONE and is_there:
                problem("told as not done, and done", act)
            elif act.code not in (DONE, UNKNOWN, *NOT_DONE):
                problem("an exit code that no such fault may have", act)
        problems += self.rows(entries)
        try:
            whole = json.loads(self.authctl("audit", "verify", "--json"))
            if not whole["whole"] or whole["interrupted"]:
                problems.append(f"the audit log is not whole: {whole}")
            findings = json.loads(self.process("db", "check", "--full", "--json").stdout)["findings"]
            # The addresses of this network look like another machine's.
            problems += [f"db check: {found}" for found in findings if found["check"] != "server-encryption"]
        except Failed as error:
            problems.append(str(error))
        return Report(fault.name, acts, there, self.pause(acts, began), new_leader, problems)

    def rows(self, entries):
        """Compares the rows with the log: each act of the log has its row, and each row its act."""
        emails = self.cluster.sql("""SELECT email FROM authctl."user" """)
        sessions = self.cluster.sql(
            """SELECT u.email FROM authctl."session" AS s JOIN authctl."user" AS u ON u.id = s."userId" """
        )
        of = {kind: [email for found, email in entries if found == kind] for kind in ("sign-up", "sign-in", "revocation")}
        expected = sorted(set(of["sign-in"]) - set(of["revocation"]))
        problems = []
        for what, rows, log in (("users", sorted(emails), sorted(of["sign-up"])), ("sessions", sorted(sessions), expected)):
            if rows != log:
                differing = sorted(set(rows) ^ set(log))[:5]
                problems.append(f"{len(rows)} {what} and {len(log)} in the log, which differ by {differing}")
        return problems

    def pause(self, acts, began):
        """The longest time without a success that the fault made, on other machines than the leader's."""
        ends = sorted(act.ended for act in acts if act.code == DONE and not act.is_cut)
        gaps = [later - earlier for earlier, later in zip(ends, ends[1:]) if later > began]
        return max(gaps)

    def table(self, reports):
        rows = [HEADS, *([str(cell) for cell in report.row()] for report in reports)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
        return "\n".join(lines)
