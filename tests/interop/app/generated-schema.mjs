// What Better Auth's own generator writes for Drizzle, as a function of the app's choices. One function for many
// apps, so that the differences between them can be read. `generated({})` is `auth generate` of 1.7 (milliseconds,
// indexes); `seconds` is the generator of 1.1.18 to 1.3.14 (seconds, no indexes, and a default that Drizzle's
// `defaultNow` writes in milliseconds nevertheless).
import { sql } from "drizzle-orm";
import * as postgres from "drizzle-orm/pg-core";
import { customType, index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

const milliseconds = sql`(cast(unixepoch('subsecond') * 1000 as integer))`;

const isoText = customType({
  dataType: () => "text",
  toDriver: (time) => time.toISOString(),
  fromDriver: (stored) => new Date(stored),
});
const ENCODINGS = {
  seconds: (name) => integer(name, { mode: "timestamp" }),
  milliseconds: (name) => integer(name, { mode: "timestamp_ms" }),
  text: (name) => isoText(name),
};

/** How the generator spells tables and columns for SQLite. `times` names the encoding of each column, where they differ. */
const forSqlite = ({ seconds, times }) => {
  const time = (name) => ENCODINGS[times?.[name] ?? (seconds ? "seconds" : "milliseconds")](name);
  return {
    table: sqliteTable,
    text,
    integer,
    index,
    time,
    since: (name) => (times ? time(name) : seconds ? time(name).defaultNow() : time(name).default(milliseconds)),
    boolean: (name) => integer(name, { mode: "boolean" }),
    number: () => integer("id", { mode: "number" }).primaryKey({ autoIncrement: true }),
  };
};

/** The same for PostgreSQL, where a time has no zone and is UTC. */
const forPostgres = () => ({
  ...postgres,
  table: postgres.pgTable,
  time: (name) => postgres.timestamp(name),
  since: (name) => postgres.timestamp(name).defaultNow(),
  number: () => postgres.integer("id").generatedByDefaultAsIdentity().primaryKey(),
});

export function generated({ onServer = false, seconds = false, times, plural = false, serial = false, admin = false, twoFactor = false, username = false }) {
  const { table, text, integer, index, time, since, boolean, number } = onServer ? forPostgres() : forSqlite({ seconds, times });
  const named = (name) => (plural ? `${name}s` : name);
  const flag = (name, value) => boolean(name).default(value);
  const id = () => (serial ? number() : text("id").primaryKey());
  const owner = () =>
    (serial ? integer("user_id") : text("user_id")).notNull().references(() => user.id, { onDelete: "cascade" });
  const by = (model, key, column) => (columns) =>
    seconds ? [] : [index(`${named(model)}_${key}_idx`).on(columns[column ?? key])];
  const touched = (column) => column.$onUpdate(() => new Date()).notNull();

  const user = table(named("user"), {
    id: id(),
    name: text("name").notNull(),
    email: text("email").notNull().unique(),
    emailVerified: flag("email_verified", false).notNull(),
    image: text("image"),
    createdAt: since("created_at").notNull(),
    updatedAt: touched(since("updated_at")),
    ...(username && { username: text("username").unique(), displayUsername: text("display_username") }),
    ...(twoFactor && { twoFactorEnabled: flag("two_factor_enabled", false) }),
    ...(admin && {
      role: text("role"),
      banned: flag("banned", false),
      banReason: text("ban_reason"),
      banExpires: time("ban_expires"),
    }),
  });
  const session = table(
    named("session"),
    {
      id: id(),
      expiresAt: time("expires_at").notNull(),
      token: text("token").notNull().unique(),
      createdAt: since("created_at").notNull(),
      updatedAt: touched(time("updated_at")),
      ipAddress: text("ip_address"),
      userAgent: text("user_agent"),
      userId: owner(),
      ...(admin && { impersonatedBy: text("impersonated_by") }),
    },
    by("session", "userId"),
  );
  const account = table(
    named("account"),
    {
      id: id(),
      accountId: text("account_id").notNull(),
      providerId: text("provider_id").notNull(),
      userId: owner(),
      accessToken: text("access_token"),
      refreshToken: text("refresh_token"),
      idToken: text("id_token"),
      accessTokenExpiresAt: time("access_token_expires_at"),
      refreshTokenExpiresAt: time("refresh_token_expires_at"),
      scope: text("scope"),
      password: text("password"),
      createdAt: since("created_at").notNull(),
      updatedAt: touched(time("updated_at")),
    },
    by("account", "userId"),
  );
  const verification = table(
    named("verification"),
    {
      id: id(),
      identifier: text("identifier").notNull(),
      value: text("value").notNull(),
      expiresAt: time("expires_at").notNull(),
      createdAt: since("created_at").notNull(),
      updatedAt: touched(since("updated_at")),
    },
    by("verification", "identifier"),
  );
  const factors = table(
    "two_factor",
    {
      id: id(),
      secret: text("secret").notNull(),
      backupCodes: text("backup_codes").notNull(),
      userId: owner(),
      verified: flag("verified", true),
      failedVerificationCount: integer("failed_verification_count").default(0),
      lockedUntil: time("locked_until"),
    },
    (columns) => [index("twoFactor_secret_idx").on(columns.secret), index("twoFactor_userId_idx").on(columns.userId)],
  );
  return {
    [named("user")]: user,
    [named("session")]: session,
    [named("account")]: account,
    [named("verification")]: verification,
    ...(twoFactor && { twoFactor: factors }),
  };
}
