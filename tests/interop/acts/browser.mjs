// A person at the app's page beside an operator at a terminal: what one does, the other sees at once.
import assert from "node:assert/strict";
import { join } from "node:path";
import { openApp } from "../app/auth.mjs";
import { variants } from "../app/variants.mjs";
import { Authctl } from "../driver/authctl.mjs";
import { layFile } from "../driver/file.mjs";
import { Served } from "../driver/http.mjs";
import { OTHER_PASSWORD, newcomer } from "../driver/people.mjs";
import { openVisitor, pages } from "../driver/visitor.mjs";

/** The app of the article on a file that `db init` made, and an app with the admin plugin. */
export const browsers = { "browser-article": "article-made", "browser-admin": "drizzle-ms" };

const OUT = "signed out";
const WRONG = `${OUT}: Invalid email or password`;
const as = ({ name }) => `signed in as ${name}`;

/** The steps in their order: who acts, what the page says afterwards, and for which plugin. */
const STEPS = [
  ["page of a visitor", "person", ({ visitor }) => visitor.look(), () => OUT],
  ["sign-up", "person", ({ visitor, ada }) => visitor.signUp(ada), ({ ada }) => as(ada)],
  ["user shown", "authctl", async ({ authctl, ada }) => as(await authctl.user(ada)), ({ ada }) => as(ada)],
  ["page opened anew", "person", ({ visitor }) => visitor.look(), ({ ada }) => as(ada)],
  ["sign-out", "person", ({ visitor }) => visitor.signOut(), () => OUT],
  ["wrong password", "person", ({ visitor, ada }) => visitor.signIn({ ...ada, password: OTHER_PASSWORD }), () => WRONG],
  ["sign-in", "person", ({ visitor, ada }) => visitor.signIn(ada), ({ ada }) => as(ada)],
  ["sessions revoke", "authctl", looked(({ ada }) => ["sessions", "revoke", "--user", ada.email]), () => OUT],
  ["sign-in after it", "person", ({ visitor, ada }) => visitor.signIn(ada), ({ ada }) => as(ada)],
  ["users update", "authctl", looked(({ ada }) => ["users", "update", ada.email, "--name", "Grace"]), () => as({ name: "Grace" })],
  ["users ban", "authctl", looked(({ ada }) => ["users", "ban", ada.email]), () => OUT, "admin"],
  ["sign-in of a banned user", "person", ({ visitor, ada }) => visitor.signIn(ada), () => /^signed out: You have been banned/, "admin"],
  ["users unban", "authctl", looked(({ ada }) => ["users", "unban", ada.email]), () => OUT, "admin"],
  ["users set-password", "authctl", looked(({ ada }) => ["users", "set-password", ada.email, "--password-stdin"]), () => OUT],
  ["old password", "person", ({ visitor, ada }) => visitor.signIn(ada), () => WRONG],
  ["new password", "person", ({ visitor, ada }) => visitor.signIn({ ...ada, password: OTHER_PASSWORD }), () => as({ name: "Grace" })],
  ["users delete", "authctl", looked(({ ada }) => ["-y", "users", "delete", ada.email]), () => OUT],
  ["sign-in of a deleted user", "person", ({ visitor, ada }) => visitor.signIn({ ...ada, password: OTHER_PASSWORD }), () => WRONG],
  ["users create", "authctl", ({ authctl, bob, visitor }) => authctl.createUser(bob).then(() => visitor.signIn(bob)), ({ bob }) => as(bob)],
];

/** Runs authctl, then opens the page anew. */
function looked(args) {
  return async (world) => {
    await world.authctl.must(args(world), { lines: [OTHER_PASSWORD] });
    return world.visitor.look();
  };
}

export async function runBrowser(binary, place, variant, line) {
  const file = join(place, "app.db");
  const { init } = variants[variant];
  const authctl = new Authctl(binary, file, join(place, "home"));
  // No row says what the columns hold.
  if (init) await authctl.must(["db", "init", ...init]);
  else layFile(variant, file, variants[variant], binary);
  const app = Object.assign(new Served(), await openApp(variant, file, { trustedOrigins: ["http://127.0.0.1:*"] }));
  await app.serve(app.auth, await pages());
  const visitor = await openVisitor(new URL("/", app.base).href);
  const world = { authctl, visitor, ada: newcomer(), bob: newcomer() };
  for (const [step, maker, run, expected, plugin] of STEPS) {
    if (plugin && !variants[variant].plugins.includes(plugin)) continue;
    await line(step, maker === "person" ? visitor.who : maker, visitor.who, async () => {
      const [said, wanted] = [await run(world), expected(world)];
      assert.match(said, wanted instanceof RegExp ? wanted : new RegExp(`^${wanted}$`));
      return said;
    });
  }
  await line("page without an error", visitor.who, visitor.who, async () => assert.deepEqual(visitor.failures, []));
  await visitor.close();
  await app.stop();
}
