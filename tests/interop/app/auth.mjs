// A Better Auth app on a file: the real library with the options of one variant. Mail goes to `outbox` in memory.
import { apiKey } from "@better-auth/api-key";
import { variants } from "./variants.mjs";

/** What the app believes its own address to be; the port is free to differ. */
export const ORIGIN = "http://127.0.0.1";
export const SECRET = "interop-secret-A1b2C3d4E5f6G7h8I9j0K1l2M3n4";

/** The options of plugins that have some. */
const CHOICES = { apiKey: { enableSessionForAPIKeys: true }, organization: { teams: { enabled: true } } };

export async function openApp(variant, file, { passwords = {}, ...more } = {}) {
  const { library = "better-auth", plugins, ids, database: open, password, options = {} } = variants[variant];
  const [{ betterAuth }, available] = await Promise.all([import(library), import(`${library}/plugins`)]);
  const { database, close } = open(file);
  const outbox = [];
  const auth = betterAuth({
    baseURL: ORIGIN,
    database,
    secret: SECRET,
    telemetry: { enabled: false },
    rateLimit: { enabled: false },
    logger: { disabled: true },
    emailAndPassword: {
      enabled: true,
      sendResetPassword: async ({ user, token }) => void outbox.push({ email: user.email, token }),
      ...(password && { password: passwords[password] }),
    },
    ...options,
    user: { ...options.user, deleteUser: { enabled: true } },
    ...(ids && { advanced: { database: { generateId: ids } } }),
    plugins: ["bearer", ...plugins].map((name) => ({ ...available, apiKey })[name](CHOICES[name])),
    ...more,
  });
  return { auth, close, outbox, context: await auth.$context };
}
