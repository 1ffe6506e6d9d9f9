// Whether each side accepts a password that the other side set.
import assert from "node:assert/strict";
import { enrol } from "../driver/factor.mjs";
import { OTHER_PASSWORD, PASSWORD, newcomer } from "../driver/people.mjs";

const WRONG = { refused: "INVALID_EMAIL_OR_PASSWORD" };

async function knows(actor, { email }, password) {
  const { token, refused } = await actor.signIn({ email, password });
  assert.equal(refused, undefined, `${actor.who} refused the password: ${refused}`);
  assert.equal((await actor.session(token)).user.email, email.toLowerCase());
  return token;
}

/** Better Auth normalises a password before hashing. An app with its own hash does not. */
const signUp = (password, otherwise = password) => async (maker, seer, { app }) => {
  const person = newcomer({ password });
  await maker.createUser(person);
  await knows(seer, person, app.normalizes ? otherwise : password);
};

export const passwords = {
  "sign-up, then sign-in": signUp(PASSWORD),
  "password with a ligature, typed otherwise": signUp("ﬁnger-Ångström-9", "finger-A\u030angstro\u0308m-9"),
  "password of four emoji": signUp("😀😀😀😀"),

  "address in capitals": async (maker, seer) => {
    const person = newcomer();
    await maker.createUser({ ...person, email: person.email.toUpperCase().replace("EXAMPLE.COM", "Example.com") });
    await knows(seer, person, PASSWORD);
  },

  "sign-in leaves the stored hash as it was": async (maker, seer, { app }) => {
    const person = newcomer();
    const { id } = await maker.createUser(person);
    const stored = async () => (await app.context.internalAdapter.findAccounts(id)).map(({ password }) => password);
    const before = await stored();
    await knows(seer, person, PASSWORD);
    assert.deepEqual(await stored(), before);
  },

  "wrong password": async (maker, seer) => {
    const person = newcomer();
    await maker.createUser(person);
    assert.deepEqual(await seer.signIn({ ...person, password: OTHER_PASSWORD }), WRONG);
  },

  "password changed": async (maker, seer) => {
    const person = newcomer();
    await seer.createUser(person);
    const { token } = await seer.signIn(person);
    await maker.changePassword(token, PASSWORD, OTHER_PASSWORD);
    await knows(seer, person, OTHER_PASSWORD);
    assert.deepEqual(await seer.signIn(person), WRONG);
  },

  "first password of a user of another provider": async (maker, seer, { app }) => {
    const person = newcomer();
    await app.createOAuthUser(person);
    assert.deepEqual(await seer.signIn(person), WRONG);
    assert.equal(await maker.reset(await maker.resetCode(person), PASSWORD), true);
    await knows(seer, person, PASSWORD);
  },

  "password set by an administrator": async (maker, seer) => {
    const person = newcomer();
    const user = await seer.createUser(person);
    await maker.setPassword({ ...person, ...user }, OTHER_PASSWORD);
    await knows(seer, person, OTHER_PASSWORD);
    assert.deepEqual(await seer.signIn(person), WRONG);
  },

  "reset code, used on the other side, once": async (maker, seer) => {
    const person = newcomer();
    await maker.createUser(person);
    const code = await maker.resetCode(person);
    assert.equal(await seer.reset(code, OTHER_PASSWORD), true, `${seer.who} refused the code`);
    await knows(maker, person, OTHER_PASSWORD);
    assert.equal(await seer.reset(code, PASSWORD), false, `${seer.who} took the code twice`);
    assert.equal(await maker.reset(code, PASSWORD), false, `${maker.who} took the used code`);
  },
};

export const twoFactor = {
  "password alone where a second factor is on": async (_, seer, { app }) => {
    const person = newcomer();
    await app.createUser(person);
    await enrol(app, (await app.signIn(person)).token, PASSWORD);
    const { token, refused } = await seer.signIn(person);
    assert.equal(token, undefined, `${seer.who} let the user in without the second factor`);
    assert.ok(refused);
  },
};
