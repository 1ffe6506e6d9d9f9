// The app as an actor: everything goes over HTTP to a real Better Auth server on loopback, as a browser would do it.
// The method names are those of `authctl.mjs`; an act takes two actors and does not know which is which.
import { openApp } from "../app/auth.mjs";
import { variants } from "../app/variants.mjs";
import { Served } from "./http.mjs";
import { Missing } from "./report.mjs";

export const ADMIN = { email: "root@example.com", password: "administrator-of-the-app-1" };

export class App extends Served {
  who = "app";

  static async start(variant, file) {
    const { made, plugins, password, server: isOnServer = false } = variants[variant];
    const passwords = password ? (await import("../fixtures/passwords.mjs")).passwords : {};
    const app = new App();
    const mailed = [];
    const opened = await openApp(variant, file, {
      passwords,
      emailVerification: { sendVerificationEmail: async ({ user, token }) => void mailed.push({ email: user.email, token }) },
    });
    Object.assign(app, opened, { variant, made, isOnServer, mailed, plugins, normalizes: !password });
    await app.serve(app.auth);
    if (app.plugins.includes("admin")) await app.becomeAdmin();
    return app;
  }

  async becomeAdmin() {
    const { user } = await this.must("POST", "/sign-up/email", { body: { ...ADMIN, name: "Root" } });
    await this.context.internalAdapter.updateUser(user.id, { role: "admin" });
    this.adminToken = (await this.signIn(ADMIN)).token;
  }

  async admin(path, body) {
    if (!this.adminToken) throw new Missing("no admin plugin");
    return this.must(body ? "POST" : "GET", `/admin/${path}`, { body, token: this.adminToken });
  }

  async createUser({ email, password, name }) {
    return (await this.must("POST", "/sign-up/email", { body: { email, password, name } })).user;
  }

  /** `{token}`, or `{refused: CODE}`. */
  async signIn({ email, password, rememberMe }) {
    const { status, body } = await this.call("POST", "/sign-in/email", { body: { email, password, rememberMe } });
    if (status === 200) return body.twoFactorRedirect ? { refused: "SECOND_FACTOR_WANTED" } : { token: body.token };
    if (!body?.code) throw new Error(`sign-in: ${status} ${JSON.stringify(body)}`);
    return { refused: body.code };
  }

  session(token) {
    return this.must("GET", "/get-session", { token });
  }

  /** The same without moving the session: a bearer's session of one day would become one of seven. */
  look(token) {
    return this.must("GET", "/get-session?disableRefresh=true", { token });
  }

  sessionByCookie(cookie) {
    return this.must("GET", "/get-session", { cookie });
  }

  async cookieOf({ email, password }) {
    const { headers } = await this.call("POST", "/sign-in/email", { body: { email, password } });
    return headers.getSetCookie().find((line) => line.startsWith("better-auth.session_token=")).split(";")[0];
  }

  sessions(token) {
    return this.must("GET", "/list-sessions", { token });
  }

  async endSession(token, id) {
    const { token: doomed } = (await this.sessions(token)).find((session) => session.id === id);
    return this.must("POST", "/revoke-session", { token, body: { token: doomed } });
  }

  endOthers = (token) => this.must("POST", "/revoke-other-sessions", { token, body: {} });
  endAll = (token) => this.must("POST", "/revoke-sessions", { token, body: {} });
  signOut = (token) => this.must("POST", "/sign-out", { token, body: {} });

  changePassword(token, currentPassword, newPassword) {
    return this.must("POST", "/change-password", { token, body: { currentPassword, newPassword } });
  }

  rename = (token, name) => this.must("POST", "/update-user", { token, body: { name } });
  move = (user, email) => this.admin("update-user", { userId: user.id, data: { email } });

  async accounts(token) {
    return this.must("GET", "/list-accounts", { token });
  }

  async setPassword(user, newPassword) {
    return this.admin("set-user-password", { userId: user.id, newPassword });
  }

  async resetCode({ email }) {
    await this.must("POST", "/request-password-reset", { body: { email } });
    return this.outbox.findLast((mail) => mail.email === email).token;
  }

  /** Whether the code was accepted. */
  async reset(code, newPassword) {
    const { status, body } = await this.call("POST", "/reset-password", { body: { token: code, newPassword } });
    if (status !== 200 && body?.code !== "INVALID_TOKEN") throw new Error(`reset: ${status} ${JSON.stringify(body)}`);
    return status === 200;
  }

  async verifyEmail({ email }) {
    await this.must("POST", "/send-verification-email", { body: { email } });
    await this.must("GET", `/verify-email?token=${this.mailed.findLast((mail) => mail.email === email).token}`);
  }

  async deleteUser({ email, password }) {
    const { token } = await this.signIn({ email, password });
    await this.must("POST", "/delete-user", { token, body: { password } });
  }

  /** A user who signs in through another provider and has no password. */
  async createOAuthUser({ email, name }) {
    const issuer = variants[this.variant].issuer;
    const account = { providerId: "github", accountId: email, ...(issuer && { issuer }) };
    return this.context.internalAdapter.createOAuthUser({ email, name, emailVerified: true }, account);
  }

  ban = (user, { reason, seconds }) => this.admin("ban-user", { userId: user.id, banReason: reason, banExpiresIn: seconds });
  unban = (user) => this.admin("unban-user", { userId: user.id });
  setRole = (user, role) => this.admin("set-role", { userId: user.id, role });
  users = async () => (await this.admin("list-users?limit=1000")).users;
  impersonate = async (user) => (await this.admin("impersonate-user", { userId: user.id })).session.token;

  async user({ email }) {
    return (await this.context.internalAdapter.findUserByEmail(email))?.user ?? null;
  }
}
