// authctl as an actor: the real binary on the same file, with a HOME of its own so that nothing is left from another run.
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SECRET } from "../app/auth.mjs";

const NOT_SIGNED_IN = 4;
const NO_SUCH_THING = 3;
const REFUSED_WITH_A_CODE = [5, 7];

export class Authctl {
  who = "authctl";

  /** `hints` is what the app's database does not show of its schema, for `--schema`. */
  constructor(binary, file, home, hints) {
    mkdirSync(home, { recursive: true });
    const schema = join(home, "schema.json");
    if (hints) writeFileSync(schema, JSON.stringify(hints));
    // An address may have a password, which --db does not take.
    Object.assign(this, { binary, file, home, global: ["--no-input", ...(hints ? ["--schema", schema] : [])] });
  }

  /** Runs one command; `lines` go to its standard input. */
  run(args, { lines = [], env = {} } = {}) {
    const child = spawn(this.binary, [...this.global, ...args], {
      env: { AUTHCTL_DB: this.file, HOME: this.home, PATH: process.env.PATH, TZ: "Asia/Kolkata", ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    const heard = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (heard[name] += text));
    child.stdin.on("error", () => {});
    child.stdin.end(lines.map((line) => `${line}\n`).join(""));
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, ...heard }));
    });
  }

  async must(args, options) {
    const done = await this.run(args, options);
    if (done.code !== 0) throw failure(args, done);
    return done.stdout.trim();
  }

  async json(args, options) {
    return JSON.parse(await this.must(["--json", ...args], options));
  }

  createUser({ email, password, name }) {
    const args = ["users", "create", email, "--name", name, "--password-stdin", "--allow-weak"];
    return this.json(args, { lines: [password] }).then(({ user }) => user);
  }

  async signIn({ email, password, rememberMe = true }) {
    const args = ["--json", "signin", email, "--password-stdin", "--print-token", ...(rememberMe ? [] : ["--no-remember"])];
    const done = await this.run(args, { lines: [password] });
    if (done.code === 0) return { token: JSON.parse(done.stdout).token };
    if (!REFUSED_WITH_A_CODE.includes(done.code)) throw failure(args, done);
    return { refused: JSON.parse(done.stderr).error.code };
  }

  async session(token) {
    const args = ["--json", "whoami"];
    const done = await this.run(args, { env: { AUTHCTL_TOKEN: token } });
    if (done.code === NOT_SIGNED_IN) return null;
    if (done.code !== 0) throw failure(args, done);
    return JSON.parse(done.stdout);
  }

  look = (token) => this.session(token);

  async cookieOf({ email }) {
    return this.must(["sessions", "issue", "--user", email, "--cookie"], { env: { BETTER_AUTH_SECRET: SECRET } });
  }

  async sessions(token) {
    return (await this.json(["sessions", "list"], as(token))).sessions;
  }

  endSession = (token, id) => this.must(["sessions", "revoke", id], as(token));
  endOthers = (token) => this.must(["sessions", "revoke", "--others"], as(token));
  endAll = (token) => this.must(["-y", "sessions", "revoke", "--all"], as(token));
  signOut = (token) => this.must(["signout"], as(token));
  prune = () => this.json(["sessions", "prune"]);

  changePassword(token, current, wanted) {
    return this.must(["password", "change", "--password-stdin"], { ...as(token), lines: [current, wanted] });
  }

  rename = (token, name) => this.must(["account", "update", "--name", name], as(token));
  move = ({ email }, to) => this.must(["users", "update", email, "--email", to]);

  async accounts(token) {
    const { user } = await this.session(token);
    return (await this.json(["users", "show", user.email])).accounts;
  }

  setPassword({ email }, password) {
    return this.must(["users", "set-password", email, "--password-stdin", "--allow-weak"], { lines: [password] });
  }

  async resetCode({ email }) {
    return (await this.json(["users", "reset-code", email])).code;
  }

  async reset(code, password) {
    const args = ["--json", "password", "reset", "--code-stdin", "--password-stdin"];
    const done = await this.run(args, { lines: [code, password] });
    if (done.code !== 0 && JSON.parse(done.stderr).error.code !== "INVALID_TOKEN") throw failure(args, done);
    return done.code === 0;
  }

  verifyEmail = ({ email }) => this.must(["users", "verify-email", email]);
  deleteUser = ({ email }) => this.must(["-y", "users", "delete", email]);
  unban = ({ email }) => this.must(["users", "unban", email]);
  setRole = ({ email }, role) => this.must(["users", "set-role", email, role]);
  users = async () => (await this.json(["users", "list", "--limit", "1000"])).users;
  impersonate = ({ email }) => this.must(["users", "impersonate", email, "--print-token"]);

  ban({ email }, { reason, seconds }) {
    const time = seconds ? ["--for", `${seconds}s`] : [];
    return this.must(["-y", "--reason", reason, "users", "ban", email, ...time]);
  }

  async user({ email }) {
    const args = ["--json", "users", "show", email];
    const done = await this.run(args);
    if (done.code === NO_SUCH_THING) return null;
    if (done.code !== 0) throw failure(args, done);
    return JSON.parse(done.stdout).user;
  }
}

const as = (token) => ({ env: { AUTHCTL_TOKEN: token } });

function failure(args, { code, stdout, stderr }) {
  return new Error(`authctl ${args.join(" ")}: exit ${code}: ${(stderr.trim() || stdout.trim()).replaceAll(/\s+/g, " ")}`);
}
