// What still gives access to a user's account after acts of authctl and after the app's own, asked of a real app with
// every plugin. authctl never leaves more than the app does. Each kind of access is also tried by a user whom no act is
// about, which shows that it works.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { openAllPlugins } from "../app/all-plugins.mjs";
import { Authctl } from "../driver/authctl.mjs";
import { FileDatabase } from "../driver/file.mjs";
import { challenge, enrol, trust, verify } from "../driver/factor.mjs";
import { Served, cookies } from "../driver/http.mjs";
import { OTHER_PASSWORD, newcomer } from "../driver/people.mjs";
import { organizations } from "./organizations.mjs";
import { rotation } from "./rotation.mjs";
import { tokens } from "./tokens.mjs";

const REFUSED = 5;
const REDIRECT = "https://app.example.com/callback";
const DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";
const SCOPE = "openid offline_access";
const CODE_VERIFIER = "a-verifier-of-more-than-forty-three-characters-1";

class AllPlugins extends Served {
  static async start(file, shape) {
    const app = Object.assign(new AllPlugins(), await openAllPlugins(file, shape));
    await app.serve(app.auth);
    app.keeper = await app.signUp({ role: "admin" });
    const { token } = app.keeper;
    const client = { redirect_uris: [REDIRECT], skip_consent: true, token_endpoint_auth_method: "none", scope: SCOPE };
    const headers = new Headers({ authorization: `Bearer ${token}` });
    const { client_id } = await app.auth.api.adminCreateOAuthClient({ body: client, headers });
    const { id } = await app.must("POST", "/organization/create", { token, body: { name: "All", slug: "all" } });
    const team = await app.context.adapter.findOne({ model: "team", where: [{ field: "organizationId", value: id }] });
    return Object.assign(app, { client_id, organizationId: id, teamId: team.id });
  }

  /** Whether a token is of a session of the person. */
  async is(person, token) {
    return Boolean(token) && (await userOf(this, { token })) === person.id;
  }

  async ok(...request) {
    return (await this.call(...request)).status === 200;
  }

  admin(path, body) {
    return this.call("POST", `/admin/${path}`, { body, token: this.keeper.token });
  }
}

/** The user of the session that a request brings. */
const userOf = async (app, by) => (await app.call("GET", "/get-session", by)).body?.user?.id;

async function authorizationCode(app, { cookie }) {
  const challenged = createHash("sha256").update(CODE_VERIFIER).digest("base64url");
  const query = new URLSearchParams({
    response_type: "code",
    client_id: app.client_id,
    redirect_uri: REDIRECT,
    scope: SCOPE,
    state: "state",
    code_challenge: challenged,
    code_challenge_method: "S256",
  });
  const { url } = await app.must("GET", `/oauth2/authorize?${query}`, { cookie });
  return new URL(url).searchParams.get("code");
}

const redeem = (app, form) => app.call("POST", "/oauth2/token", { form: { client_id: app.client_id, ...form } });
const redeemCode = (app, code) =>
  redeem(app, { grant_type: "authorization_code", code, redirect_uri: REDIRECT, code_verifier: CODE_VERIFIER });

/** Each kind of access: prepares it for a person, and answers how to try it. The last ones change the account. */
const KINDS = {
  cookie: (app, { id, cookie }) => async () => (await userOf(app, { cookie })) === id,
  "bearer token": (app, person) => () => app.is(person, person.token),
  impersonation: async (app, { token }) => {
    const victim = await app.signUp({});
    const { session } = await app.must("POST", "/admin/impersonate-user", { token, body: { userId: victim.id } });
    return () => app.is(victim, session.token);
  },
  "API key": async (app, { key }) => async () => (await app.auth.api.verifyApiKey({ body: { key } })).valid,
  "API key as a session": (app, { id, key }) => async () => (await userOf(app, { key })) === id,
  "OAuth access token": (app, { tokens }) => () => app.ok("GET", "/oauth2/userinfo", { token: tokens.access_token }),
  "OAuth refresh token": (app, { tokens }) => async () =>
    (await redeem(app, { grant_type: "refresh_token", refresh_token: tokens.refresh_token })).status === 200,
  "OAuth code": async (app, person) => {
    const code = await authorizationCode(app, person);
    return async () => (await redeemCode(app, code)).status === 200;
  },
  "one-time token": async (app, person) => {
    const { token } = await app.must("GET", "/one-time-token/generate", { token: person.token });
    return async () => {
      const { body } = await app.call("POST", "/one-time-token/verify", { body: { token } });
      return app.is(person, body?.session?.token);
    };
  },
  "magic link": async (app, person) => {
    await app.must("POST", "/sign-in/magic-link", { body: { email: person.email } });
    const token = app.sent.get(`link ${person.email}`);
    return async () => app.is(person, (await app.call("GET", `/magic-link/verify?token=${token}`)).body?.token);
  },
  "code by mail": async (app, person) => {
    const { email } = person;
    await app.must("POST", "/email-otp/send-verification-otp", { body: { email, type: "sign-in" } });
    const body = { email, otp: app.sent.get(`otp ${email}`) };
    return async () => app.is(person, (await app.call("POST", "/sign-in/email-otp", { body })).body?.token);
  },
  "code by phone": async (app, person) => {
    const { phoneNumber } = person;
    await app.must("POST", "/phone-number/send-otp", { body: { phoneNumber } });
    const body = { phoneNumber, code: app.sent.get(`phone ${phoneNumber}`) };
    return async () => app.is(person, (await app.call("POST", "/phone-number/verify", { body })).body?.token);
  },
  "device code": async (app, person) => {
    const { token } = person;
    const { device_code, user_code } = await app.must("POST", "/device/code", { body: { client_id: "cli" } });
    await app.must("GET", `/device?user_code=${user_code}`, { token });
    await app.must("POST", "/device/approve", { token, body: { userCode: user_code } });
    const body = { grant_type: DEVICE_GRANT, device_code, client_id: "cli" };
    return async () => app.is(person, (await app.call("POST", "/device/token", { body })).body?.access_token);
  },
  "unfinished sign-in": async (app, person) => {
    const { cookie } = await challenge(app, person);
    const { totpURI } = person;
    return async () => app.is(person, (await verify(app, { totpURI, cookie })).body?.token);
  },
  "trusted device": async (app, person) => {
    const device = await trust(app, person, person.totpURI);
    return async () => {
      const { email, now: password } = person;
      const { token } = (await challenge(app, { email, password })).body;
      // Where the factor has gone, the device must not skip the next one.
      if (token) await enrol(app, token, password);
      return app.is(person, (await challenge(app, { email, password }, device)).body.token);
    };
  },
  "old password": (app, person) => async () => (await challenge(app, person)).status === 200,
  "reset link": async (app, { email }) => {
    await app.must("POST", "/request-password-reset", { body: { email } });
    const body = { token: app.sent.get(`reset ${email}`), newPassword: OTHER_PASSWORD };
    return () => app.ok("POST", "/reset-password", { body });
  },
};

/** A new user with every kind of access, and with rows in all tables that name users. */
async function prepared(app) {
  app.count = (app.count ?? 1000) + 1;
  const phoneNumber = `+49301234${app.count}`;
  const person = await app.signUp({ role: "admin", emailVerified: true, phoneNumber, phoneNumberVerified: true });
  Object.assign(person, { phoneNumber, now: person.password }, await enrol(app, person.token, person.password));
  const { token, id: userId } = person;
  person.key = (await app.must("POST", "/api-key/create", { token, body: {} })).key;
  person.tokens = (await redeemCode(app, await authorizationCode(app, person))).body;
  person.other = (await app.context.internalAdapter.createSession(userId)).token;
  await addRows(app, userId);
  person.kinds = {};
  for (const [kind, prepare] of Object.entries(KINDS)) person.kinds[kind] = await prepare(app, person);
  return person;
}

/** The rows that no request of the person makes. */
async function addRows({ auth, context, organizationId, teamId, client_id }, userId) {
  await auth.api.addMember({ body: { userId, organizationId, teamId, role: "member" } });
  const [now, later] = [new Date(), new Date(Date.now() + 3_600_000)];
  const rows = {
    invitation: { organizationId, email: "guest@example.com", role: "member", status: "pending", expiresAt: later, inviterId: userId },
    oauthClient: { clientId: `of-${userId}`, redirectUris: [REDIRECT], userId },
    oauthConsent: { clientId: client_id, userId, scopes: ["openid"], createdAt: now, updatedAt: now },
    passkey: { publicKey: "key", userId, credentialID: userId, counter: 0, deviceType: "singleDevice", backedUp: false },
    ssoProvider: { issuer: "https://sso.example.com", userId, providerId: `of-${userId}`, domain: "example.com" },
  };
  for (const [model, data] of Object.entries(rows)) await context.adapter.create({ model, data });
}

/** The kinds that still give access to the person's account. */
async function open({ kinds }) {
  const found = [];
  for (const [kind, isOpen] of Object.entries(kinds)) if (await isOpen()) found.push(kind);
  return found;
}

const ALL = Object.keys(KINDS);
const OF_SESSIONS = ["cookie", "bearer token", "OAuth access token", "OAuth code", "one-time token"];
/** Rows with the id of the user alone, which look alike under hashed identifiers: an act that ends one kind ends all. */
const ALIKE = ["unfinished sign-in", "trusted device", "reset link"];
const but = (...left) => ALL.filter((kind) => !left.includes(kind));

/**
 * Each act: the arguments of authctl with the lines of its input and the session of the person that it uses, what a
 * person or an administrator does in the app instead, what differs for the person afterwards, and the kinds of access
 * that authctl ends, also where identifiers are hashed.
 */
const ACTS = {
  signout: {
    args: () => ["signout"],
    session: ({ token }) => token,
    inApp: (app, { token }) => app.call("POST", "/sign-out", { token, body: {} }),
    ends: OF_SESSIONS,
  },
  "sessions revoke --others": {
    args: () => ["sessions", "revoke", "--others"],
    session: ({ other }) => other,
    inApp: (app, { other }) => app.call("POST", "/revoke-other-sessions", { token: other, body: {} }),
    ends: OF_SESSIONS,
  },
  "password change": {
    args: () => ["password", "change", "--password-stdin"],
    lines: ({ password }) => [password, OTHER_PASSWORD],
    session: ({ other }) => other,
    inApp: (app, { other, password }) => {
      const body = { currentPassword: password, newPassword: OTHER_PASSWORD, revokeOtherSessions: true };
      return app.call("POST", "/change-password", { token: other, body });
    },
    changes: () => ({ now: OTHER_PASSWORD }),
    ends: [...OF_SESSIONS, "old password", "reset link"],
    endsHashed: ALIKE,
  },
  "password reset": {
    args: () => ["password", "reset", "--code-stdin", "--password-stdin"],
    lines: ({ email }, app) => [app.sent.get(`reset ${email}`), OTHER_PASSWORD],
    inApp: (app, { email }) => {
      const body = { token: app.sent.get(`reset ${email}`), newPassword: OTHER_PASSWORD };
      return app.call("POST", "/reset-password", { body });
    },
    changes: () => ({ now: OTHER_PASSWORD }),
    ends: [...OF_SESSIONS, "old password", "reset link"],
    endsHashed: ALIKE,
  },
  "account delete": {
    args: () => ["-y", "account", "delete"],
    lines: ({ password }) => [password],
    session: ({ other }) => other,
    inApp: (app, { other, password }) => app.call("POST", "/delete-user", { token: other, body: { password } }),
    ends: ALL,
    leavesNoRow: true,
  },
  "sessions revoke": {
    args: ({ email }) => ["sessions", "revoke", "--user", email],
    inApp: (app, { id }) => app.admin("revoke-user-sessions", { userId: id }),
    ends: OF_SESSIONS,
  },
  "users set-password": {
    args: ({ email }) => ["users", "set-password", email, "--password-stdin"],
    inApp: (app, { id }) => app.admin("set-user-password", { userId: id, newPassword: OTHER_PASSWORD }),
    changes: () => ({ now: OTHER_PASSWORD }),
    ends: [...OF_SESSIONS, "old password", "reset link"],
    endsHashed: ALIKE,
  },
  "users update --email": {
    args: ({ email }, to) => ["users", "update", email, "--email", to.email],
    inApp: (app, { id }, data) => app.admin("update-user", { userId: id, data }),
    changes: () => ({ email: newcomer().email }),
    ends: ["magic link", "code by mail", "reset link"],
    endsHashed: ALIKE,
  },
  "users set-role": {
    args: ({ email }) => ["users", "set-role", email, "user"],
    inApp: (app, { id }) => app.admin("set-role", { userId: id, role: "user" }),
    ends: [...OF_SESSIONS, "impersonation"],
  },
  "users reset-2fa": {
    args: ({ email }) => ["-y", "users", "reset-2fa", email],
    inApp: (app, { token, password }) => app.call("POST", "/two-factor/disable", { token, body: { password } }),
    ends: [...OF_SESSIONS, "unfinished sign-in", "trusted device"],
    endsHashed: ALIKE,
  },
  "users ban": {
    args: ({ email }) => ["users", "ban", email],
    inApp: (app, { id }) => app.admin("ban-user", { userId: id }),
    ends: but("API key", "API key as a session", "OAuth refresh token", "reset link"),
  },
  "users delete": {
    args: ({ email }) => ["-y", "users", "delete", email],
    inApp: (app, { id }) => app.admin("remove-user", { userId: id }),
    ends: ALL,
    leavesNoRow: true,
  },
  "users lockdown": { args: ({ email }) => ["-y", "users", "lockdown", email], ends: but("old password") },
  "users lockdown --ban": { args: ({ email }) => ["-y", "users", "lockdown", email, "--ban"], ends: ALL },
  "db prune": { args: () => ["db", "prune"], ends: [] },
};

/** The columns of all tables in which a row names a user. */
function naming(database, userId) {
  const tables = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").pluck().all();
  const columns = tables.flatMap((table) => database.pragma(`table_info("${table}")`).map(({ name }) => [table, name]));
  const names = ([table, column]) => database.prepare(`SELECT 1 FROM "${table}" WHERE instr("${column}", ?)`).get(userId);
  return columns.filter(names).map((place) => place.join("."));
}

/** Runs an act on a new person, in the app or by authctl, and answers what is open afterwards. */
async function run(app, { changes }, act) {
  const person = await prepared(app);
  const changed = changes?.();
  await act(person, changed);
  Object.assign(person, changed);
  return [await open(person), person];
}

const list = (kinds) => kinds.join(", ") || "nothing";

/** Both sides on files of their own: after its own act, an app may be unable to go on. */
export async function runAccess(binary, place, shape, line) {
  const file = (side) => join(place, `${side}.db`);
  const [theirs, ours] = [await AllPlugins.start(file("app"), shape), await AllPlugins.start(file("authctl"), shape)];
  const authctl = new Authctl(binary, file("authctl"), join(place, "home"));
  const bystander = await prepared(ours);
  for (const [name, act] of Object.entries(ACTS)) {
    await line(name, "authctl", "app", async () => {
      const isOfApp = act.inApp && !shape.appFails;
      const inApp = async (...to) => assert.equal((await act.inApp(theirs, ...to)).status, 200, "the app failed");
      const byAuthctl = (person, to) => {
        const lines = act.lines?.(person, ours) ?? [OTHER_PASSWORD];
        return authctl.must(act.args(person, to), { lines, env: { AUTHCTL_TOKEN: act.session?.(person) ?? "" } });
      };
      const [app, [left, person]] = await Promise.all([isOfApp && run(theirs, act, inApp), run(ours, act, byAuthctl)]);
      const ends = shape.storeIdentifier === "hashed" ? [...act.ends, ...(act.endsHashed ?? [])] : act.ends;
      assert.equal(list(left), list(but(...ends)), "what is open");
      if (act.leavesNoRow) assert.deepEqual(naming(ours.database, person.id), [], "rows that name the user");
      if (!isOfApp) return `open: ${list(left)}`;
      const without = (kinds, others) => kinds.filter((kind) => !others.includes(kind));
      assert.equal(list(without(left, app[0])), "nothing", "what is open after authctl, and not after the app");
      return `open: ${list(left)}; after the app's own act also: ${list(without(app[0], left))}`;
    });
  }
  await line("users delete of the owner of a client", "authctl", "app", async () => {
    const owner = await prepared(ours);
    const client = [{ field: "clientId", value: ours.client_id }];
    await ours.context.adapter.update({ model: "oauthClient", where: client, update: { userId: owner.id } });
    const words = ["-y", "users", "delete", owner.email];
    const { code, stderr } = await authctl.run(words);
    assert.equal(code, REFUSED, stderr);
    assert.ok(await ours.is(owner, owner.token), "the refused act ended the session");
    await authctl.must([...words, "--new-owner", ours.keeper.email]);
    assert.equal(list(await open(owner)), "nothing", "what is open");
    assert.deepEqual(naming(ours.database, owner.id), [], "rows that name the user");
  });
  const world = { app: ours, authctl, database: FileDatabase.at(file("authctl")) };
  for (const [name, act] of Object.entries({ ...tokens, ...organizations })) {
    await line(name, "authctl", "app", () => act(world));
  }
  // The bystander has tokens of that client.
  await line("access of another user", "authctl", "app", async () => assert.deepEqual(await open(bystander), ALL));
  await line("app goes on, without a broken reference", "authctl", "app", async () => {
    const { organizationId, keeper } = ours;
    await ours.must("GET", `/organization/list-members?organizationId=${organizationId}`, { token: keeper.token });
    assert.deepEqual(ours.database.pragma("foreign_key_check"), []);
  });
  // From here on, the app has another secret.
  const reopened = async (more) => {
    const app = Object.assign(new AllPlugins(), await openAllPlugins(file("authctl"), shape, more));
    await app.serve(app.auth);
    return app;
  };
  for (const [name, act] of Object.entries(rotation)) await line(name, "authctl", "app", () => act({ ...world, reopened }));
  await Promise.all([theirs.stop(), ours.stop()]);
}
