// Whether each side accepts the users and sessions of the fixture.
import assert from "node:assert/strict";
import { PEOPLE } from "../app/people.mjs";

const OAUTH_ONLY = { email: "octo@example.com", password: "octo-has-no-password-1" };

async function storedSessions({ context }, { email }) {
  const user = await context.adapter.findOne({ model: "user", where: [{ field: "email", value: email }] });
  const found = await context.adapter.findMany({ model: "session", where: [{ field: "userId", value: user.id }] });
  return found.sort((a, b) => new Date(b.expiresAt) - new Date(a.expiresAt));
}

export const fixture = {
  "sessions until 2100 live, the one of 2025 does not": async (seer, { app }) => {
    const [live] = await storedSessions(app, PEOPLE.bob);
    assert.equal((await seer.look(live.token))?.session.expiresAt, "2100-01-01T00:00:00.000Z");
    const old = (await storedSessions(app, PEOPLE.ada)).at(-1);
    assert.ok(new Date(old.expiresAt) < new Date("2026-01-01"), "the expired session has gone");
    if (seer !== app) assert.equal(await seer.look(old.token), null);
  },

  "people of the fixture sign in": async (seer, { app }) => {
    for (const person of [PEOPLE.ada, PEOPLE.bob, PEOPLE.emo]) {
      const { token, refused } = await seer.signIn(person);
      if (person === PEOPLE.ada && app.plugins.includes("twoFactor")) assert.ok(refused, "no second factor was asked for");
      else assert.ok(token, `${person.email}: ${refused}`);
    }
    assert.deepEqual(await seer.signIn(OAUTH_ONLY), { refused: "INVALID_EMAIL_OR_PASSWORD" });
    const { refused } = await seer.signIn(PEOPLE.mallory);
    assert.equal(refused, app.plugins.includes("admin") ? "BANNED_USER" : undefined);
  },
};
