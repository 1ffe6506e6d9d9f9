// What still gives access to a user's account after acts of authctl, asked of a real app with plugins that do so without
// a password. Each kind is also used by a user whom the act is not about, which shows that it would have worked.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { join } from "node:path";
import Database from "better-sqlite3";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { admin, bearer, deviceAuthorization, emailOTP, magicLink, oneTimeToken } from "better-auth/plugins";
import { ORIGIN, SECRET } from "../app/auth.mjs";
import { Authctl } from "../driver/authctl.mjs";
import { OTHER_PASSWORD, newcomer } from "../driver/people.mjs";

const GRANT = "urn:ietf:params:oauth:grant-type:device_code";

/** A server with these plugins on a new file, and `storeIdentifier` as an app may set it. */
async function start(file, storeIdentifier) {
  const database = new Database(file);
  const sent = new Map();
  const auth = betterAuth({
    baseURL: ORIGIN,
    database,
    secret: SECRET,
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    logger: { disabled: true },
    verification: { storeIdentifier },
    emailAndPassword: { enabled: true, sendResetPassword: async ({ user, token }) => void sent.set(`reset ${user.email}`, token) },
    plugins: [
      bearer(),
      admin(),
      deviceAuthorization(),
      oneTimeToken(),
      magicLink({ sendMagicLink: async ({ email, token }) => void sent.set(`link ${email}`, token) }),
      emailOTP({ sendVerificationOTP: async ({ email, otp }) => void sent.set(`otp ${email}`, otp) }),
    ],
  });
  await (await getMigrations(auth.options)).runMigrations();
  const server = createServer(toNodeHandler(auth));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const base = `http://127.0.0.1:${server.address().port}/api/auth`;
  const call = async (method, path, { body, token } = {}) => {
    const headers = {
      origin: ORIGIN,
      ...(body && { "content-type": "application/json" }),
      ...(token && { authorization: `Bearer ${token}` }),
    };
    const answer = await fetch(base + path, { method, headers, body: body && JSON.stringify(body), redirect: "manual" });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null };
  };
  const must = async (...args) => {
    const { status, body } = await call(...args);
    if (status !== 200) throw new Error(`${args[0]} ${args[1]}: ${status} ${JSON.stringify(body)}`);
    return body;
  };
  const stop = async () => {
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
    database.close();
  };
  return { call, must, sent, stop, context: await auth.$context };
}

/** A new user with every kind of access prepared: the name of each, and how to try it. */
async function prepared({ call, must, sent, context }) {
  const person = newcomer();
  const { email } = person;
  const { token, user } = await must("POST", "/sign-up/email", { body: person });
  await context.internalAdapter.updateUser(user.id, { role: "admin" });
  await must("POST", "/sign-in/magic-link", { body: { email } });
  await must("POST", "/email-otp/send-verification-otp", { body: { email, type: "sign-in" } });
  await must("POST", "/request-password-reset", { body: { email } });
  const once = await must("GET", "/one-time-token/generate", { token });
  const device = await must("POST", "/device/code", { body: { client_id: "cli" } });
  await must("GET", `/device?user_code=${device.user_code}`, { token });
  await must("POST", "/device/approve", { token, body: { userCode: device.user_code } });
  const victim = await must("POST", "/sign-up/email", { body: newcomer() });
  const acting = await must("POST", "/admin/impersonate-user", { token, body: { userId: victim.user.id } });
  const session = async (of) => (await call("GET", "/get-session", { token: of })).body !== null;
  const ok = async (...args) => (await call(...args)).status === 200;
  const kinds = {
    session: () => session(token),
    impersonation: () => session(acting.session.token),
    "one-time token": () => ok("POST", "/one-time-token/verify", { body: { token: once.token } }),
    "magic link": () => ok("GET", `/magic-link/verify?token=${sent.get(`link ${email}`)}`),
    "one-time password": () => ok("POST", "/sign-in/email-otp", { body: { email, otp: sent.get(`otp ${email}`) } }),
    "reset link": () => ok("POST", "/reset-password", { body: { token: sent.get(`reset ${email}`), newPassword: OTHER_PASSWORD } }),
    "device code": () =>
      ok("POST", "/device/token", { body: { grant_type: GRANT, device_code: device.device_code, client_id: "cli" } }),
  };
  return { email, kinds };
}

async function open(kinds) {
  const found = [];
  for (const [kind, isOpen] of Object.entries(kinds)) if (await isOpen()) found.push(kind);
  return found;
}

/** Each act of authctl, and the access that it leaves: what the app leaves too. */
const acts = {
  "sessions revoke": {
    args: (email) => ["sessions", "revoke", "--user", email],
    left: ["impersonation", "magic link", "one-time password", "reset link", "device code"],
  },
  "users set-password": {
    args: (email) => ["users", "set-password", email, "--generate"],
    left: ["impersonation", "magic link", "one-time password", "device code"],
  },
  "users lockdown": { args: (email) => ["-y", "users", "lockdown", email], left: [] },
  "users lockdown --ban": { args: (email) => ["-y", "users", "lockdown", email, "--ban", "--force-last-admin"], left: [] },
  "users ban": { args: (email) => ["users", "ban", email, "--force-last-admin"], left: ["reset link"] },
  "users delete": { args: (email) => ["-y", "users", "delete", email, "--force-last-admin"], left: [], makesAnew: true },
};

export const access = Object.fromEntries(
  ["plain", "hashed"].flatMap((storeIdentifier) =>
    Object.entries(acts).map(([name, { args, left, makesAnew }]) => [
      `${name}, identifiers ${storeIdentifier}`,
      async ({ binary, place }) => {
        const file = join(place, `${name.replaceAll(/\W+/g, "-")}-${storeIdentifier}.db`);
        const app = await start(file, storeIdentifier);
        try {
          const [person, other] = [await prepared(app), await prepared(app)];
          const authctl = new Authctl(binary, file, join(place, "home"));
          await authctl.must(args(person.email));
          const found = await open(person.kinds);
          // A link to an address without a user signs a new user up, and so does a one-time password.
          const expected = makesAnew ? found.filter((kind) => !["magic link", "one-time password"].includes(kind)) : found;
          assert.deepEqual(expected, left);
          assert.deepEqual(await open(other.kinds), Object.keys(other.kinds), "another user lost access");
        } finally {
          await app.stop();
        }
      },
    ]),
  ),
);
