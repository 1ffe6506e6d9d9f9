// Compares, field by field, how both sides report a record and which rows both sides create.
import assert from "node:assert/strict";
import { newcomer } from "../driver/people.mjs";
import { Missing } from "../driver/report.mjs";

const USER = ["id", "name", "email", "emailVerified", "image", "createdAt", "updatedAt"];
const ADMIN = ["role", "banned", "banReason", "banExpires"];
const SESSION = ["id", "userId", "expiresAt", "createdAt", "updatedAt", "ipAddress", "userAgent"];

/** The app writes "" for an unknown value, authctl null. */
const normalised = (value) => (value === "" || value === undefined ? null : value);
const only = (record, fields) => Object.fromEntries(fields.map((field) => [field, normalised(record[field])]));
const byId = (records, fields) => records.map((record) => only(record, fields)).sort((a, b) => (a.id < b.id ? -1 : 1));

function fieldsOf(app) {
  const admin = app.plugins.includes("admin");
  return { user: admin ? [...USER, ...ADMIN] : USER, session: admin ? [...SESSION, "impersonatedBy"] : SESSION };
}

async function signedIn(maker) {
  const person = newcomer();
  await maker.createUser(person);
  return { person, token: (await maker.signIn(person)).token };
}

/** `maker` creates the record, both sides report it. */
export const records = {
  "get-session = whoami --json": async (maker, { app, authctl }) => {
    const { token } = await signedIn(maker);
    const fields = fieldsOf(app);
    const [theirs, ours] = [await app.session(token), await authctl.session(token)];
    assert.deepEqual(only(ours.user, fields.user), only(theirs.user, fields.user));
    assert.deepEqual(only(ours.session, fields.session), only(theirs.session, fields.session));
  },

  "list-sessions = sessions list --json": async (maker, { app, authctl }) => {
    const { token } = await signedIn(maker);
    const { session } = fieldsOf(app);
    assert.deepEqual(byId(await authctl.sessions(token), session), byId(await app.sessions(token), session));
  },

  "list-accounts = users show --json": async (maker, { app, authctl }) => {
    const { token } = await signedIn(maker);
    const normalised = (accounts) => accounts.map(({ providerId, accountId }) => ({ providerId, accountId }));
    assert.deepEqual(normalised(await authctl.accounts(token)), normalised(await app.accounts(token)));
  },

  "list-users = users list --json": async (maker, { app, authctl }) => {
    await signedIn(maker);
    const { user } = fieldsOf(app);
    assert.deepEqual(byId(await authctl.users(), user), byId(await app.users(), user));
  },
};

/** The rows of a person: which table, found by which column, for which of the person's values. */
const ROWS = [
  ["user", "email", ({ email }) => email],
  ["account", "userId", ({ id }) => id],
  ["session", "userId", ({ id }) => id],
  ["verification", "value", ({ id }) => String(id)],
];

/** Values that may differ: user agent and IP address depend on the side that signs in. */
const FREE = ["ipAddress", "ip_address", "userAgent", "user_agent"];

export const rows = Object.fromEntries(ROWS.map(([table, column, value]) => [
  `row of ${table} as the app writes it`,
  async ({ app, authctl, database, hints }) => {
    const made = [];
    for (const maker of [app, authctl]) {
      const { person, token } = await signedIn(maker);
      const { user } = await app.session(token);
      await maker.resetCode(person);
      made.push(await database.shapeOfNewestRow(hints, table, column, value(user)));
    }
    if (!made[0]) throw new Missing(`the app keeps no ${table}`);
    const [theirs, ours] = made.map((shape) => Object.fromEntries(Object.entries(shape ?? {}).filter(([name]) => !FREE.includes(name))));
    assert.deepEqual(ours, theirs);
  },
]));
