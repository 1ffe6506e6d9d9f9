// Second factors that authctl resets, unlocks and locks down, as the app sees them afterwards.
import assert from "node:assert/strict";
import { challenge, enrol, trust, verify } from "../driver/factor.mjs";
import { PASSWORD, newcomer } from "../driver/people.mjs";

const WANTED = { refused: "SECOND_FACTOR_WANTED" };

/** A person with a factor, its address for an authenticator, and a live session. */
async function enrolled(app) {
  const person = newcomer();
  await app.createUser(person);
  return { person, ...(await enrol(app, (await app.signIn(person)).token, PASSWORD)) };
}

const explain = async (authctl, { email }) => {
  const { stdout } = await authctl.run(["--json", "users", "explain", email]);
  return JSON.parse(stdout);
};

export const secondFactors = {
  "factor that works is no reason against a sign-in": async ({ app, authctl }) => {
    const { person } = await enrolled(app);
    const { canSignIn, secondFactor } = await explain(authctl, person);
    assert.deepEqual({ canSignIn, secondFactor }, { canSignIn: true, secondFactor: "working" });
  },

  "reset of a factor: the password signs in, and another factor can be set up": async ({ app, authctl }) => {
    const { person, token } = await enrolled(app);
    assert.deepEqual(await app.signIn(person), WANTED);
    await authctl.must(["-y", "users", "reset-2fa", person.email]);
    assert.equal(await app.session(token), null, "a session went on");
    const again = await app.signIn(person);
    assert.ok(again.token, "the app still asks for the factor");
    await enrol(app, again.token, PASSWORD);
    assert.deepEqual(await app.signIn(person), WANTED);
  },

  "flag without a factor: explained, and reset": async ({ app, authctl }) => {
    const { person, totpURI } = await enrolled(app);
    const user = await app.user(person);
    await app.context.adapter.deleteMany({ model: "twoFactor", where: [{ field: "userId", value: user.id }] });
    const { cookie } = await challenge(app, person);
    assert.equal((await verify(app, { totpURI, cookie })).body.code, "TOTP_NOT_ENABLED");
    const { canSignIn, reasons } = await explain(authctl, person);
    assert.deepEqual([canSignIn, reasons[0].code], [false, "TOTP_NOT_ENABLED"]);
    await authctl.must(["-y", "users", "reset-2fa", person.email]);
    assert.ok((await app.signIn(person)).token);
  },

  "lock after wrong codes: explained, and lifted": async ({ app, authctl }) => {
    const { person, totpURI } = await enrolled(app);
    for (let failures = 0; failures < 10; failures += 5) {
      const { cookie } = await challenge(app, person);
      for (let wrong = 0; wrong < 5; wrong += 1) await verify(app, { code: "000000", cookie });
    }
    const { cookie } = await challenge(app, person);
    assert.equal((await verify(app, { totpURI, cookie })).body.code, "ACCOUNT_TEMPORARILY_LOCKED");
    assert.equal((await explain(authctl, person)).reasons[0].code, "ACCOUNT_TEMPORARILY_LOCKED");
    await authctl.must(["users", "unlock", person.email]);
    assert.equal((await verify(app, { totpURI, cookie })).status, 200);
  },

  "lockdown: sessions, trusted devices, unfinished sign-ins and reset links": async ({ app, authctl }) => {
    const { person, totpURI, token } = await enrolled(app);
    const known = await challenge(app, person, await trust(app, person, totpURI));
    assert.ok(known.body.token, "the app does not know the device that it trusts");
    const waiting = await challenge(app, person);
    const link = await app.resetCode(person);
    const { ended } = await authctl.json(["-y", "users", "lockdown", person.email]);
    assert.equal(ended.trustedDevices, 1);
    assert.equal(await app.session(token), null, "a session went on");
    assert.equal(await app.session(known.body.token), null, "a session went on");
    const after = await challenge(app, person, known.device);
    assert.equal(after.body.token, undefined, "the device is still trusted");
    assert.notEqual((await verify(app, { totpURI, cookie: waiting.cookie })).status, 200, "the sign-in was finished");
    assert.equal(await app.reset(link, PASSWORD), false, "the link still works");
  },
};
