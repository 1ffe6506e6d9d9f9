// An app with every plugin that opens accounts or names users, on a new file whose foreign keys have one of the shapes
// that apps have. Whatever the app mails or sends is in `sent`, under what it is and whom it is for.
import Database from "better-sqlite3";
import { apiKey } from "@better-auth/api-key";
import { oauthProvider } from "@better-auth/oauth-provider";
import { passkey } from "@better-auth/passkey";
import { sso } from "@better-auth/sso";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import * as plugins from "better-auth/plugins";
import { ORIGIN, SECRET } from "./auth.mjs";

/** How long codes last: a machine under load needs minutes for all acts. */
const LIFE_SECONDS = 3600;

const ACTION = / on delete (cascade|set null)/g;
const KEY = / references "\w+" \("\w+"\)( on delete (cascade|set null))?/g;

/** The shapes: what becomes of the foreign keys that Better Auth makes, and how the app stores identifiers. */
export const shapes = {
  "plugins-cascade": { keys: (sql) => sql, storeIdentifier: "hashed" },
  // The app itself fails here: it can neither end the sessions of a user with tokens nor delete the user.
  "plugins-restrict": { keys: (sql) => sql.replaceAll(ACTION, " on delete restrict"), storeIdentifier: "plain", appFails: true },
  "plugins-no-keys": { keys: (sql) => sql.replaceAll(KEY, ""), storeIdentifier: "plain" },
};

/** `more` are options of the app that replace others, such as its secret. */
export async function openAllPlugins(file, { keys, storeIdentifier }, more = {}) {
  const database = new Database(file);
  const sent = new Map();
  const send = (what) => async ({ user, email = user?.email, phoneNumber = email, token, otp, code = token ?? otp }) =>
    void sent.set(`${what} ${phoneNumber}`, code);
  const auth = betterAuth({
    baseURL: ORIGIN,
    database,
    secret: SECRET,
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    logger: { disabled: true },
    verification: { storeIdentifier },
    user: { deleteUser: { enabled: true } },
    emailAndPassword: { enabled: true, sendResetPassword: send("reset") },
    plugins: [
      plugins.admin(),
      plugins.anonymous(),
      plugins.bearer(),
      plugins.deviceAuthorization(),
      plugins.emailOTP({ sendVerificationOTP: send("otp"), expiresIn: LIFE_SECONDS }),
      plugins.jwt(),
      plugins.magicLink({ sendMagicLink: send("link"), expiresIn: LIFE_SECONDS }),
      plugins.oneTimeToken({ expiresIn: LIFE_SECONDS / 60 }),
      plugins.organization({ teams: { enabled: true } }),
      plugins.phoneNumber({ sendOTP: send("phone"), expiresIn: LIFE_SECONDS }),
      plugins.twoFactor(),
      plugins.username(),
      apiKey({ enableSessionForAPIKeys: true }),
      oauthProvider({ loginPage: "/sign-in", consentPage: "/consent", scopes: ["openid", "offline_access"] }),
      passkey(),
      sso(),
    ],
    ...more,
  });
  const { compileMigrations } = await getMigrations(auth.options);
  database.exec(keys(await compileMigrations()));
  return { auth, database, sent, close: () => database.close(), context: await auth.$context };
}
