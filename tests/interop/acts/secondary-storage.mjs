// An app that keeps its sessions and codes outside of its database (`secondaryStorage`): both sides agree about users,
// passwords and bans, and authctl says what it does not reach.
import assert from "node:assert/strict";
import { PEOPLE } from "../app/people.mjs";
import { OTHER_PASSWORD, PASSWORD, newcomer } from "../driver/people.mjs";

const NOT_IN_THIS_DATABASE = 9;

/** authctl can say whether a password is right, and makes no session. */
async function takes(seer, { app }, { email, password }) {
  if (seer === app) return (await app.signIn({ email, password })).token !== undefined;
  const { code, stderr } = await seer.run(["signin", email, "--no-store", "--password-stdin"], { lines: [password] });
  assert.ok([0, 5, 7].includes(code), stderr);
  return code === 0;
}

async function expect(world, person, answer, what) {
  for (const seer of [world.app, world.authctl]) assert.equal(await takes(seer, world, person), answer, `${seer.who}: ${what}`);
}

async function someone(actor) {
  const person = newcomer();
  return { ...person, ...(await actor.createUser(person)), password: PASSWORD };
}

/** `maker` acts, and both sides are asked. */
export const elsewhere = {
  "people of the fixture": async (maker, world) => {
    for (const person of [PEOPLE.ada, PEOPLE.bob, PEOPLE.emo]) await expect(world, person, true, person.email);
    await expect(world, PEOPLE.mallory, false, "mallory is banned");
    const emails = (people) => people.map(({ email }) => email).sort();
    assert.deepEqual(emails(await world.authctl.users()), emails(await world.app.users()));
  },

  "user created, then deleted": async (maker, world) => {
    const person = await someone(maker);
    await expect(world, person, true, "the password");
    await expect(world, { ...person, password: OTHER_PASSWORD }, false, "another password");
    await maker.deleteUser(person);
    await expect(world, person, false, "a deleted user");
    assert.equal(await world.app.user(person), null);
  },

  "password set by an administrator": async (maker, world) => {
    const person = await someone(world.app);
    await maker.setPassword(person, OTHER_PASSWORD);
    await expect(world, person, false, "the old password");
    await expect(world, { ...person, password: OTHER_PASSWORD }, true, "the new password");
  },

  "user banned, ban lifted": async (maker, world) => {
    const person = await someone(world.app);
    await maker.ban(person, { reason: "spam" });
    await expect(world, person, false, "a banned user");
    assert.equal((await world.app.user(person)).banReason, "spam");
    await maker.unban(person);
    await expect(world, person, true, "a user whose ban was lifted");
  },

  "role given": async (maker, world) => {
    const person = await someone(world.app);
    await maker.setRole(person, "admin");
    const roles = await Promise.all([world.app, world.authctl].map(async (seer) => (await seer.user(person)).role));
    assert.deepEqual(roles, ["admin", "admin"]);
  },
};

/** Acts of authctl alone, on what the app keeps elsewhere. */
export const unreached = {
  "sessions go on, and authctl says so": async ({ app, authctl }) => {
    const person = await someone(app);
    const { token } = await app.signIn(person);
    const { email } = person;
    for (const args of [["sessions", "revoke", "--user", email], ["users", "ban", email]]) {
      const { code, stderr } = await authctl.run(args);
      assert.equal(code, 0, stderr);
      assert.match(stderr, /keeps its sessions( and codes)? outside of this database/);
    }
    assert.equal((await app.session(token)).user.email, email, "the app has ended the session");
  },

  "codes are left to the app": async ({ app, authctl }) => {
    const person = await someone(app);
    const { code, stderr } = await authctl.run(["users", "reset-code", person.email]);
    assert.equal(code, NOT_IN_THIS_DATABASE, stderr);
    assert.equal(await app.reset(await app.resetCode(person), OTHER_PASSWORD), true);
    assert.equal(await takes(authctl, { app }, { ...person, password: OTHER_PASSWORD }), true);
  },
};
