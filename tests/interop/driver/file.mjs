// The database file of one run, created from the variant's fixture or by authctl, and what authctl must not change in it.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import Database from "better-sqlite3";

/** The database of a variant: `place` opens the app, `address` authctl. `ServerDatabase` has the same methods. */
export class FileDatabase {
  constructor(variant, file, choices, binary) {
    layFile(variant, file, choices, binary);
    this.place = this.address = file;
  }

  /** The database of an app that made the file itself. */
  static at(file) {
    return Object.assign(Object.create(FileDatabase.prototype), { place: file, address: file });
  }

  fingerprint() {
    return fingerprint(this.place);
  }

  /** What is in the directory besides the files of SQLite. */
  beside() {
    const own = basename(this.place);
    return readdirSync(dirname(this.place)).filter((name) => !name.startsWith(own));
  }

  /** Each column of the newest row with the form of its value, so that two programs' rows can be laid side by side. */
  shapeOfNewestRow(hints, model, field, value) {
    const db = new Database(this.place, { readonly: true });
    const [table] = [hints?.tables[model], model, `${model}s`].filter((name) => name && db.pragma(`table_info("${name}")`).length > 0);
    const wanted = hints?.columns[`${model}.${field}`] ?? field;
    const column = db.pragma(`table_info("${table}")`).find(({ name }) => name.replaceAll("_", "").toLowerCase() === wanted.toLowerCase());
    const row = db.prepare(`SELECT * FROM "${table}" WHERE "${column.name}" = ? ORDER BY rowid DESC LIMIT 1`).get(value);
    db.close();
    return row && shape(row);
  }
}

export function layFile(variant, file, { wal, init, rowsOf = variant, change = "" }, binary) {
  const sql = readFileSync(new URL(`../../fixtures/better-auth/${rowsOf}.sql`, import.meta.url), "utf8");
  const env = { HOME: join(dirname(file), "..", "home") };
  if (init) execFileSync(binary, ["--db", file, "db", "init", ...init], { env, stdio: "pipe" });
  const db = new Database(file);
  if (wal) db.pragma("journal_mode = WAL");
  db.exec(init ? sql.slice(sql.indexOf("INSERT INTO"), sql.lastIndexOf("COMMIT;")) : sql);
  db.exec(change);
  db.close();
}

/** `schema_version` moves with every DDL statement, even one that leaves the text of the schema as it was. */
const PRAGMAS = ["application_id", "auto_vacuum", "encoding", "journal_mode", "page_size", "schema_version", "user_version"];

function fingerprint(file) {
  const db = new Database(file, { readonly: true });
  const schema = db.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").all();
  const pragmas = Object.fromEntries(PRAGMAS.map((name) => [name, db.pragma(name, { simple: true })]));
  db.close();
  return { schema, pragmas };
}

/** A row with the form of each value. */
export const shape = (row) => Object.fromEntries(Object.entries(row).map(([column, stored]) => [column, form(stored)]));

const FORMS = [
  [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, "time, Z"],
  [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/, "time, +00:00"],
  [/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, "uuid"],
  [/^[0-9a-f]{32}:[0-9a-f]{128}$/, "scrypt"],
  [/^\$argon2id\$v=19\$m=\d+,t=\d+,p=\d+\$/, "argon2id"],
  [/^\$2[aby]\$/, "bcrypt"],
  [/^reset-password:[0-9A-Za-z]{24}$/, "reset-password:24"],
  [/^[0-9A-Za-z_-]{43}$/, "SHA-256"],
  [/^[0-9A-Za-z]{32}$/, "id of 32"],
  [/^$/, "empty text"],
];

function form(value) {
  if (value === null) return "null";
  if (typeof value === "boolean") return "boolean";
  if (value instanceof Date) return "time";
  if (typeof value === "number") return value > 1e11 ? "milliseconds" : value > 1e9 ? "seconds" : "integer";
  return FORMS.find(([pattern]) => pattern.test(value))?.[1] ?? "text";
}
