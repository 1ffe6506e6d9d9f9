// A native database at the path of an app: `db convert` gives it to the app, with its users and what other programs added.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { openApp } from "../app/auth.mjs";
import { variants } from "../app/variants.mjs";
import { App } from "../driver/app.mjs";
import { Authctl } from "../driver/authctl.mjs";
import { Served } from "../driver/http.mjs";
import { OTHER_PASSWORD, newcomer } from "../driver/people.mjs";

/** The app, and the options of `db convert` for its schema. */
export const conversions = {
  "convert-article": { variant: "article", options: [] },
  "convert-milliseconds": { variant: "drizzle-ms", options: ["--names", "snake_case"] },
  "convert-seconds": { variant: "drizzle-s", options: ["--names", "snake_case", "--time", "seconds"] },
  "convert-kysely": { variant: "kysely", options: ["--adapter", "kysely"] },
};

const WRONG = { refused: "INVALID_EMAIL_OR_PASSWORD" };

/** A table of the app, and a column with all that a definition may have. */
const ADDED = `
  CREATE TABLE post (id INTEGER PRIMARY KEY, author TEXT NOT NULL REFERENCES user (id));
  ALTER TABLE user ADD COLUMN phone TEXT COLLATE NOCASE CHECK (phone <> '') REFERENCES post (id);
  UPDATE user SET phone = NULL;
  INSERT INTO post (author) SELECT id FROM user`;

async function openNative(variant, file) {
  const app = Object.assign(new Served(), await openApp(variant, file));
  await app.serve(app.auth);
  return app;
}

export async function runConversion(binary, place, { variant, options }, line) {
  const file = join(place, "app.db");
  const codes = join(place, "codes.jsonl");
  const authctl = new Authctl(binary, file, join(place, "home"));
  const [argon, scrypt, late] = [newcomer(), newcomer(), newcomer()];
  await authctl.must(["db", "init"]);
  await authctl.createUser(argon);

  const before = await openNative(variant, file);
  await line("sign-up in a native database is refused", "app", "authctl", async () => {
    const { status } = await before.call("POST", "/sign-up/email", { body: late });
    assert.notEqual(status, 200);
    assert.equal((await authctl.json(["users", "list"])).total, 1);
  });
  const hash = await before.context.password.hash(scrypt.password);
  await before.stop();
  await authctl.must(["users", "create", scrypt.email, "--name", scrypt.name, "--hash-stdin"], { lines: [hash] });
  const db = new Database(file);
  db.exec(ADDED);
  db.close();

  await line("conversion", "authctl", "authctl", async () => {
    const done = await authctl.json(["-y", "db", "convert", "--to", "better-auth", ...options, "--reset-codes", codes]);
    assert.deepEqual([done.users, done.passwordsKept, done.resetCodesWritten, done.leftOut], [2, 1, 1, []]);
    const status = await authctl.json(["db", "status"]);
    assert.deepEqual([status.kind, status.app.writable, status.app.refusals], ["better-auth", true, []]);
  });

  const app = await App.start(variant, file);
  await line("password of the library", "authctl", "app", async () => {
    const { token } = await app.signIn(scrypt);
    assert.equal((await authctl.session(token)).user.email, scrypt.email);
  });
  await line("password of another function is unknown", "authctl", "app", async () => {
    assert.deepEqual(await app.signIn(argon), WRONG);
  });
  await line("code of the file sets a password", "authctl", "app", async () => {
    const [{ email, code }] = readFileSync(codes, "utf8").trim().split("\n").map((text) => JSON.parse(text));
    assert.equal(email, argon.email);
    await app.reset(code, OTHER_PASSWORD);
    for (const seer of [app, authctl]) assert.ok((await seer.signIn({ ...argon, password: OTHER_PASSWORD })).token);
  });
  await line("sign-up", "app", "authctl", async () => {
    const { id } = await app.createUser(late);
    assert.equal((await authctl.user(late)).id, id);
    assert.ok((await authctl.signIn(late)).token);
  });
  await line("session", "authctl", "app", async () => {
    const { token } = await authctl.signIn(scrypt);
    assert.equal((await app.session(token)).user.email, scrypt.email);
  });
  await line("added table and column", "both", "both", async () => {
    const db = new Database(file, { readonly: true });
    const [posts, broken] = [db.prepare("SELECT count(*) FROM post").pluck().get(), db.pragma("foreign_key_check")];
    const { sql } = db.prepare("SELECT sql FROM sqlite_schema WHERE name = 'user'").get();
    db.close();
    assert.deepEqual([posts, broken], [2, []]);
    assert.match(sql, /phone TEXT COLLATE NOCASE CHECK \(phone <> ''\) REFERENCES post \(id\)/);
  });
  await line("checks", "both", "authctl", async () => {
    await authctl.must(["doctor"]);
    await authctl.must(["db", "check", "--full"]);
    await authctl.must(["audit", "verify"]);
    assert.deepEqual(app.failures, []);
  });
  await app.stop();
}
