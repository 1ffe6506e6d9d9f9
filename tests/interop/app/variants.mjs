// The shapes that a Better Auth database comes in, each as the app that makes it: which adapter, which schema, which
// plugins, and whether its file has a write-ahead log. `database(file)` answers what `betterAuth` takes as its `database`, and how to let go of the file again.
import Database from "better-sqlite3";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { prismaAdapter } from "better-auth/adapters/prisma";
import { drizzle } from "drizzle-orm/better-sqlite3";
import { drizzle as drizzleOnServer } from "drizzle-orm/node-postgres";
import pg from "pg";
import * as article from "./article-schema.mjs";
import { generated } from "./generated-schema.mjs";
import { prismaClient, prismaClientOnServer } from "./prisma.mjs";

function viaDrizzle(schema, options = {}) {
  return (file) => {
    const sqlite = new Database(file);
    const database = drizzleAdapter(drizzle(sqlite), { provider: "sqlite", schema, ...options });
    return { database, close: () => sqlite.close() };
  };
}

function viaKysely(file) {
  const sqlite = new Database(file);
  return { database: sqlite, close: () => sqlite.close() };
}

/** Better Auth's own adapter on a server. */
function viaPool(place) {
  const pool = new pg.Pool(place);
  return { database: pool, close: () => pool.end() };
}

function viaDrizzleOnServer(schema) {
  return (place) => {
    const pool = new pg.Pool(place);
    return { database: drizzleAdapter(drizzleOnServer(pool), { provider: "pg", schema }), close: () => pool.end() };
  };
}

function viaPrismaOnServer(place) {
  const client = prismaClientOnServer(place);
  return { database: prismaAdapter(client, { provider: "postgresql" }), close: () => client.$disconnect() };
}

/** Statements that make every time a `timestamp`, whose rows do not tell a zone. */
const withoutZone = `DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT table_name AS of, column_name AS name FROM information_schema.columns WHERE table_schema = 'public' AND data_type LIKE 'timestamp%'
  LOOP EXECUTE format('ALTER TABLE %I ALTER COLUMN %I TYPE timestamp', one.of, one.name); END LOOP;
END $$`;
/** Takes the signs of Prisma from its foreign keys. */
const withoutUpdates = ["session", "account"]
  .map((table) => {
    const key = `"${table}_userId_fkey"`;
    return `ALTER TABLE "${table}" DROP CONSTRAINT ${key}, ADD CONSTRAINT ${key} FOREIGN KEY ("userId") REFERENCES "user" ("id") ON DELETE CASCADE`;
  })
  .join(";");

const onServer = (ids) => ({ made: "kysely", plugins: ["admin"], ids, server: true, database: viaPool });

function viaPrisma(timestampFormat) {
  return (file) => {
    const client = prismaClient(file, timestampFormat);
    return { database: prismaAdapter(client, { provider: "sqlite" }), close: () => client.$disconnect() };
  };
}

const drizzleTables = generated({ onServer: true, admin: true });

const app = (made, plugins, { choices = {}, adapter = {}, ids } = {}) => {
  const has = Object.fromEntries(plugins.map((plugin) => [plugin, true]));
  const schema = generated({ ...has, ...choices });
  return { made, plugins, schema, ids, database: viaDrizzle(schema, adapter) };
};

/** An app with its own names for tables and columns, and a required column. */
const ownNames = {
  user: {
    modelName: "people",
    fields: { email: "mail" },
    additionalFields: { tenant: { type: "string", required: true, defaultValue: "main", input: false } },
  },
  session: { modelName: "logins", fields: { userId: "personId" } },
};
const ownNamesToldToAuthctl = {
  tables: { user: "people", session: "logins" },
  columns: { "user.email": "mail", "session.userId": "personId" },
  values: { "user.tenant": "main" },
};

/** What an app keeps outside of its database, such as in Redis. */
function memory() {
  const kept = new Map();
  return {
    get: async (key) => kept.get(key) ?? null,
    set: async (key, value) => void kept.set(key, value),
    delete: async (key) => void kept.delete(key),
    getAndDelete: async (key) => {
      const value = kept.get(key) ?? null;
      kept.delete(key);
      return value;
    },
  };
}

/** A file whose tables `authctl db init` made, with the rows of the article's app. */
const articleMade = {
  made: "drizzle",
  plugins: [],
  rowsOf: "article",
  init: ["--better-auth", "drizzle", "--names", "camelCase", "--time", "seconds"],
};

/** An app whose columns were made at different times, each with its own encoding. */
const timePerColumn = { created_at: "seconds", updated_at: "text", ban_expires: "text" };

/** One row of many that another program wrote in another form, which the app reads too. */
const strayRow = `
  UPDATE user SET created_at = '2025-03-01 12:00:00', updated_at = '2025-03-01T12:00:00.000Z' WHERE email = 'bob@example.com';
  UPDATE session SET expires_at = '2100-01-01T00:00:00.000Z' WHERE user_id = (SELECT id FROM user WHERE email = 'bob@example.com');`;

export const variants = {
  article: { made: "drizzle", plugins: [], schema: article, database: viaDrizzle(article), hashes: "foreign" },
  "article-made": { ...articleMade, schema: article, database: viaDrizzle(article) },
  "hashed-identifiers": {
    made: "drizzle",
    plugins: [],
    rowsOf: "article",
    change: "DELETE FROM verification",
    schema: article,
    database: viaDrizzle(article),
    options: { verification: { storeIdentifier: "hashed" } },
  },
  "drizzle-ms": app("drizzle", ["admin"]),
  "drizzle-s": app("drizzle", ["admin"], { choices: { seconds: true } }),
  kysely: { made: "kysely", plugins: ["admin"], database: viaKysely },
  "kysely-plain": { made: "kysely", plugins: [], database: viaKysely, wal: true },
  "secondary-storage": {
    made: "kysely",
    plugins: ["admin"],
    rowsOf: "kysely",
    change: "DROP TABLE session; DROP TABLE verification",
    database: viaKysely,
    options: { secondaryStorage: memory() },
  },
  renamed: { made: "kysely", plugins: ["admin"], database: viaKysely, options: ownNames, hints: ownNamesToldToAuthctl },
  "prisma-text": { made: "prisma", plugins: ["admin"], database: viaPrisma("iso8601") },
  "prisma-ms": { made: "prisma", plugins: ["admin"], database: viaPrisma("unixepoch-ms") },
  plural: { ...app("drizzle", ["admin"], { choices: { plural: true }, adapter: { usePlural: true } }), wal: true },
  "time-per-column": app("drizzle", ["admin"], { choices: { times: timePerColumn } }),
  "stray-row": { ...app("drizzle", ["admin"]), rowsOf: "drizzle-ms", change: strayRow },
  "integer-ids": app("drizzle", ["admin"], { choices: { serial: true }, ids: "serial" }),
  "uuid-ids": app("drizzle", ["admin"], { ids: "uuid" }),
  "two-factor": app("drizzle", ["twoFactor"]),
  username: app("drizzle", ["username"]),
  issuer: { made: "kysely", plugins: ["admin"], library: "better-auth-1.7.1", issuer: "local:oauth:github", database: viaKysely },
  argon2: { made: "drizzle", plugins: [], schema: article, database: viaDrizzle(article), password: "argon2" },
  "postgres-kysely": onServer(),
  "postgres-drizzle": { ...onServer(), made: "drizzle", schema: drizzleTables, database: viaDrizzleOnServer(drizzleTables) },
  "postgres-prisma": { ...onServer(), made: "prisma", database: viaPrismaOnServer },
  // Tables of an old version of Better Auth's own adapter, whose driver writes the local time of the app.
  "postgres-local": { ...onServer(), change: withoutZone, hints: { zone: "America/New_York" } },
  // Tables that look the same, of an app that writes UTC wherever it runs.
  "postgres-utc": {
    ...onServer(),
    made: "prisma",
    database: viaPrismaOnServer,
    change: `${withoutZone}; ${withoutUpdates}`,
    hints: { zone: "UTC" },
  },
  "postgres-plugins": { ...onServer(), plugins: ["admin", "twoFactor", "organization", "apiKey"] },
  "postgres-uuid": onServer("uuid"),
  "postgres-serial": onServer("serial"),
  bcrypt: { made: "drizzle", plugins: [], schema: article, database: viaDrizzle(article), password: "bcrypt" },
};
