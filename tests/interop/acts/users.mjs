// Acts of an administrator, and whether the other side applies them. An app without the admin plugin has no such
// acts; those lines are omitted.
import assert from "node:assert/strict";
import { PEOPLE } from "../app/people.mjs";
import { OTHER_PASSWORD, newcomer } from "../driver/people.mjs";

const HOUR = 3_600_000;

async function someone(actor) {
  const person = newcomer();
  const user = await actor.createUser(person);
  return { ...person, id: user.id };
}

export const users = {
  "address verified": async (maker, seer) => {
    const person = await someone(seer);
    const { token } = await seer.signIn(person);
    await maker.verifyEmail(person);
    assert.equal((await seer.session(token)).user.emailVerified, true);
  },

  "name changed": async (maker, seer) => {
    const person = await someone(seer);
    const { token } = await seer.signIn(person);
    await maker.rename(token, "Grace Ĥopper");
    assert.equal((await seer.session(token)).user.name, "Grace Ĥopper");
  },

  "address changed": async (maker, seer) => {
    const person = await someone(seer);
    const { email } = newcomer();
    await maker.move(person, email);
    assert.equal(await seer.user(person), null);
    assert.ok((await seer.signIn({ ...person, email })).token);
  },

  "user of the fixture changed, and changed back": async (maker, seer, { app }) => {
    const bob = { ...PEOPLE.bob, id: (await app.user(PEOPLE.bob)).id };
    const moved = { ...bob, email: newcomer().email, password: OTHER_PASSWORD };
    await maker.setPassword(bob, moved.password);
    await maker.move(bob, moved.email);
    assert.ok((await seer.signIn(moved)).token);
    await maker.move(moved, bob.email);
    await maker.setPassword(bob, bob.password);
    assert.ok((await seer.signIn(bob)).token);
  },

  "updatedAt changes": async (maker, seer, { app }) => {
    const person = await someone(seer);
    const { token } = await seer.signIn(person);
    await app.context.internalAdapter.updateUser(person.id, { updatedAt: new Date("2020-01-01") });
    assert.equal(new Date((await seer.user(person)).updatedAt).getUTCFullYear(), 2020);
    await maker.rename(token, "Grace");
    const off = Math.abs(Date.parse((await seer.user(person)).updatedAt) - Date.now());
    assert.ok(off < 60_000, "updatedAt was left behind");
  },

  "user deleted": async (maker, seer) => {
    const person = await someone(seer);
    const { token } = await seer.signIn(person);
    await maker.deleteUser(person);
    assert.equal(await seer.session(token), null);
    assert.equal(await seer.user(person), null);
    assert.deepEqual(await seer.signIn(person), { refused: "INVALID_EMAIL_OR_PASSWORD" });
    await seer.createUser(person);
  },
};

export const admin = {
  "user banned, sessions ended": async (maker, seer) => {
    const person = await someone(seer);
    const { token } = await seer.signIn(person);
    await maker.ban(person, { reason: "spam" });
    assert.equal(await seer.session(token), null, "the session lives on");
    assert.deepEqual(await seer.signIn(person), { refused: "BANNED_USER" });
    const { banned, banReason, banExpires } = await seer.user(person);
    assert.deepEqual({ banned, banReason, banExpires }, { banned: true, banReason: "spam", banExpires: null });
  },

  "ban lifted": async (maker, seer) => {
    const person = await someone(seer);
    await seer.ban(person, { reason: "spam" });
    await maker.unban(person);
    assert.ok((await seer.signIn(person)).token, "still refused");
    const { banned, banReason, banExpires } = await seer.user(person);
    assert.deepEqual({ banned, banReason, banExpires }, { banned: false, banReason: null, banExpires: null });
  },

  "ban for an hour": async (maker, seer) => {
    const person = await someone(seer);
    await maker.ban(person, { reason: "rest", seconds: 3600 });
    const { banExpires } = await seer.user(person);
    const off = Math.abs(Date.parse(banExpires) - Date.now() - HOUR);
    assert.ok(off < 60_000, `banExpires is ${banExpires}`);
  },

  "ban that is over": async (maker, seer, { app }) => {
    const person = await someone(seer);
    await maker.ban(person, { reason: "rest", seconds: 3600 });
    await app.context.internalAdapter.updateUser(person.id, { banExpires: new Date(Date.now() - 2000) });
    assert.ok((await seer.signIn(person)).token, "still refused");
  },

  "role given": async (maker, seer, { app }) => {
    const person = await someone(seer);
    await maker.setRole(person, "admin");
    assert.equal((await seer.user(person)).role, "admin");
    const { token } = await app.signIn(person);
    assert.equal((await app.call("GET", "/admin/list-users?limit=1", { token })).status, 200, "the app does not let the admin in");
  },

  "user impersonated": async (maker, seer) => {
    const person = await someone(seer);
    const token = await maker.impersonate(person);
    const { session, user } = await seer.look(token);
    assert.equal(user.email, person.email);
    assert.ok(session.impersonatedBy, "impersonatedBy is empty");
    const off = Math.abs(Date.parse(session.expiresAt) - Date.now() - HOUR);
    assert.ok(off < 60_000, `expiresAt is ${session.expiresAt}`);
  },
};
