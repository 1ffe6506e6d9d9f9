// A PostgreSQL server of this run's own, and a database on it for each variant. The tables and rows are made by the app.
import { execFileSync, spawn } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import pg from "pg";
import { openApp } from "../app/auth.mjs";
import { drizzleDdlOnServer } from "../fixtures/drizzle-ddl.mjs";
import { populate } from "../fixtures/populate.mjs";
import { shape } from "./file.mjs";

const PORT = 5432;
const SECONDS_TO_START = 30;
/** Where the app runs; authctl and the server are elsewhere. */
const ZONE_OF_APP = "America/New_York";
/**
 * Runs the server until its standard input ends: at the end of this process, in whatever way it ends. The server waits then for
 * connections that are about to end.
 */
const UNTIL_END = '"$@" & server=$!; cat > /dev/null; kill -TERM $server; wait $server';

/** The directory with the programs of the server; Debian keeps them out of the path. */
export function programs() {
  const debian = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql").map((version) => `/usr/lib/postgresql/${version}/bin`) : [];
  return [...debian, ...process.env.PATH.split(delimiter)].find((directory) => existsSync(join(directory, "initdb")));
}

/** The server refuses to run as root. */
function ordinaryUser() {
  if (process.getuid() !== 0) return {};
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" })));
  return { uid, gid };
}

export class Server {
  static async start() {
    const server = new Server();
    const user = ordinaryUser();
    server.directory = mkdtempSync(join(tmpdir(), "authctl-interop-server-"));
    if (user.uid) chownSync(server.directory, user.uid, user.gid);
    const data = join(server.directory, "data");
    server.bin = programs();
    execFileSync(join(server.bin, "initdb"), ["-D", data, "-U", "app", "-A", "trust", "-E", "UTF8"], { ...user, cwd: "/", stdio: "pipe" });
    const settings = { unix_socket_directories: server.directory, listen_addresses: "", port: PORT, fsync: "off", timezone: "Asia/Tokyo" };
    const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const command = [join(server.bin, "postgres"), "-D", data, ...args];
    server.process = spawn("sh", ["-c", UNTIL_END, "sh", ...command], { ...user, cwd: "/", stdio: ["pipe", "ignore", "ignore"] });
    process.env.TZ = ZONE_OF_APP;
    for (let turn = 0; turn < SECONDS_TO_START * 10; turn += 1) {
      if (await server.query("postgres", "SELECT 1").catch(() => null)) return server;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("the server did not start");
  }

  /** What the driver of the app takes. */
  place(database) {
    return { host: this.directory, port: PORT, user: "app", database };
  }

  async query(database, sql, values) {
    const client = new pg.Client(this.place(database));
    await client.connect();
    try {
      return (await client.query(sql, values)).rows;
    } finally {
      await client.end();
    }
  }

  stop() {
    this.process.stdin.end();
    return new Promise((resolve) => this.process.on("exit", resolve)).then(() => rmSync(this.directory, { recursive: true }));
  }
}

/** Makes the tables with the tools of each adapter. Prisma's engine needs a server of its own for it, so its SQL is kept. */
const MAKE = {
  kysely: async (server, database, choices, app) => {
    const { getMigrations } = await import("better-auth/db/migration");
    await (await getMigrations(app.auth.options)).runMigrations();
  },
  drizzle: async (server, database, { schema }) => {
    for (const statement of await drizzleDdlOnServer(schema)) await server.query(database, statement);
  },
  prisma: (server, database) =>
    server.query(database, readFileSync(new URL("../../fixtures/better-auth/postgres/prisma.sql", import.meta.url), "utf8")),
};

export class ServerDatabase {
  static async lay(variant, server, choices) {
    const database = new ServerDatabase();
    const name = variant.replaceAll("-", "_");
    Object.assign(database, { server, name, place: server.place(name) });
    database.address = `postgres://app@/${name}?host=${server.directory}&port=${PORT}`;
    await server.query("postgres", `CREATE DATABASE ${name}`);
    const app = await openApp(variant, database.place);
    await MAKE[choices.made](server, name, choices, app);
    await populate(app, choices);
    await app.close();
    return database;
  }

  /** The schema as SQL, without the words that differ from one dump to the next. */
  fingerprint() {
    const { host, port, user, database } = this.place;
    const args = ["--schema-only", "-h", host, "-p", String(port), "-U", user, database];
    const dump = execFileSync(join(this.server.bin, "pg_dump"), args, { encoding: "utf8" });
    return dump.split("\n").filter((line) => !/^\\(un)?restrict /.test(line));
  }

  beside() {
    return [];
  }

  async shapeOfNewestRow(hints, model, field, value) {
    const called = "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND lower(replace(column_name, '_', '')) = lower($2)";
    const names = await Promise.all([field, "createdAt"].map((name) => this.server.query(this.name, called, [model, name])));
    const [column, order] = names.map(([found]) => found.column_name);
    const rows = await this.server.query(this.name, `SELECT * FROM "${model}" WHERE "${column}" = $1 ORDER BY "${order}" DESC LIMIT 1`, [value]);
    return rows[0] && shape(rows[0]);
  }
}
