// A PostgreSQL server of this run's own, or the one that AUTHCTL_TEST_POSTGRES names, and a database on it for each variant. The
// tables and rows are made by the app.
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
/** Where the apps run; authctl and the server are elsewhere. */
const ZONE_OF_APP = "America/New_York";
const ZONE_OF_SERVER = "Asia/Tokyo";
/**
 * Runs the server until its standard input ends: at the end of this process, in whatever way it ends. The server waits then for
 * connections that are about to end.
 */
const UNTIL_END = '"$@" & server=$!; cat > /dev/null; kill -TERM $server; wait $server';

/** The URL of a server that runs already, as a role that may create databases. */
const NAMED = process.env.AUTHCTL_TEST_POSTGRES;

/** The directory whose programs are to be used, where it has them. */
const PROGRAMS = process.env.AUTHCTL_TEST_POSTGRES_BIN;

/** The directory with a program of PostgreSQL; Debian keeps those of the server out of the path. */
function directoryOf(program) {
  const installed = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql").sort((a, b) => b - a) : [];
  const debian = installed.map((version) => `/usr/lib/postgresql/${version}/bin`);
  const named = PROGRAMS ? [PROGRAMS] : [];
  return [...named, ...debian, ...process.env.PATH.split(delimiter)].find((directory) => existsSync(join(directory, program)));
}

/** Why no server can be used; `null` if one can. */
export function blocker() {
  // Dumps of the schema are compared.
  if (!directoryOf("pg_dump")) return "pg_dump is not installed";
  return NAMED || directoryOf("initdb") ? null : "PostgreSQL is not installed, and AUTHCTL_TEST_POSTGRES names no server";
}

/** The server refuses to run as root. */
function ordinaryUser() {
  if (process.getuid() !== 0) return {};
  const [uid, gid] = ["-u", "-g"].map((flag) => Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8" })));
  return { uid, gid };
}

/** A server that others use too: only the databases of this run are made and dropped. */
class NamedServer {
  constructor() {
    process.env.TZ = ZONE_OF_APP;
    this.made = [];
  }

  nameFor(variant) {
    return `authctl_interop_${process.pid}_${variant.replaceAll("-", "_")}`;
  }

  address(database) {
    const url = new URL(NAMED);
    url.pathname = `/${database}`;
    return url.href;
  }

  place(database) {
    return { connectionString: this.address(database) };
  }

  dumpOf(database) {
    return ["--dbname", this.address(database)];
  }

  async create(database) {
    this.made.push(database);
    await query(this, "postgres", `CREATE DATABASE ${database} TEMPLATE template0`);
  }

  async stop() {
    for (const database of this.made) await query(this, "postgres", `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  }
}

async function query(server, database, sql, values) {
  const client = new pg.Client(server.place(database));
  await client.connect();
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
}

export class Server {
  static start() {
    return NAMED ? new NamedServer() : Server.startOwn();
  }

  static async startOwn() {
    const server = new Server();
    const user = ordinaryUser();
    server.directory = mkdtempSync(join(tmpdir(), "authctl-interop-server-"));
    if (user.uid) chownSync(server.directory, user.uid, user.gid);
    const data = join(server.directory, "data");
    const bin = directoryOf("initdb");
    execFileSync(join(bin, "initdb"), ["-D", data, "-U", "app", "-A", "trust", "-E", "UTF8"], { ...user, cwd: "/", stdio: "pipe" });
    const settings = { unix_socket_directories: server.directory, listen_addresses: "", port: PORT, fsync: "off" };
    const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
    const command = [join(bin, "postgres"), "-D", data, ...args];
    server.process = spawn("sh", ["-c", UNTIL_END, "sh", ...command], { ...user, cwd: "/", stdio: ["pipe", "ignore", "ignore"] });
    process.env.TZ = ZONE_OF_APP;
    for (let turn = 0; turn < SECONDS_TO_START * 10; turn += 1) {
      if (await query(server, "postgres", "SELECT 1").catch(() => null)) return server;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    throw new Error("the server did not start");
  }

  nameFor(variant) {
    return variant.replaceAll("-", "_");
  }

  address(database) {
    return `postgres://app@/${database}?host=${this.directory}&port=${PORT}`;
  }

  /** What the driver of the app takes. */
  place(database) {
    return { host: this.directory, port: PORT, user: "app", database };
  }

  dumpOf(database) {
    return ["-h", this.directory, "-p", String(PORT), "-U", "app", database];
  }

  create(database) {
    return query(this, "postgres", `CREATE DATABASE ${database}`);
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
    for (const statement of await drizzleDdlOnServer(schema)) await query(server, database, statement);
  },
  prisma: (server, database) =>
    query(server, database, readFileSync(new URL("../../fixtures/better-auth/postgres/prisma.sql", import.meta.url), "utf8")),
};

export class ServerDatabase {
  static async lay(variant, server, choices) {
    const database = new ServerDatabase();
    const name = server.nameFor(variant);
    Object.assign(database, { server, name, place: server.place(name), address: server.address(name) });
    await server.create(name);
    // A zone that is neither the app's nor authctl's nor UTC.
    await query(server, "postgres", `ALTER DATABASE ${name} SET timezone = '${ZONE_OF_SERVER}'`);
    const app = await openApp(variant, database.place);
    await MAKE[choices.made](server, name, choices, app);
    if (choices.change) await query(server, name, choices.change);
    await populate(app, choices);
    await app.close();
    return database;
  }

  /** The schema as SQL, without the words that differ from one dump to the next. */
  fingerprint() {
    const args = ["--schema-only", ...this.server.dumpOf(this.name)];
    const dump = execFileSync(join(directoryOf("pg_dump"), "pg_dump"), args, { encoding: "utf8" });
    return dump.split("\n").filter((line) => !/^\\(un)?restrict /.test(line));
  }

  beside() {
    return [];
  }

  async shapeOfNewestRow(hints, model, field, value) {
    const called = "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND lower(replace(column_name, '_', '')) = lower($2)";
    const names = await Promise.all([field, "createdAt"].map((name) => query(this.server, this.name, called, [model, name])));
    const [column, order] = names.map(([found]) => found.column_name);
    const rows = await query(this.server, this.name, `SELECT * FROM "${model}" WHERE "${column}" = $1 ORDER BY "${order}" DESC LIMIT 1`, [value]);
    return rows[0] && shape(rows[0]);
  }
}
