// Second factors that authctl resets, unlocks and locks down, as the app sees them afterwards.
import assert from "node:assert/strict";
import { totp } from "../app/totp.mjs";
import { PASSWORD, newcomer } from "../driver/people.mjs";

const WANTED = { refused: "SECOND_FACTOR_WANTED" };

/** A person with a factor, its address for an authenticator, and a live session. */
async function enrolled(app) {
  const person = newcomer();
  await app.createUser(person);
  const { token } = await app.signIn(person);
  const { totpURI } = await app.must("POST", "/two-factor/enable", { token, body: { password: PASSWORD } });
  const confirmed = await app.must("POST", "/two-factor/verify-totp", { token, body: { code: totp(totpURI) } });
  return { person, totpURI, token: confirmed.token };
}

/** The cookies of a sign-in that waits for the factor. */
async function challenge(app, { email, password }, cookie) {
  const answer = await app.call("POST", "/sign-in/email", { body: { email, password }, cookie });
  return { ...answer, cookie: answer.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ") };
}

const verify = (app, cookie, body) => app.call("POST", "/two-factor/verify-totp", { cookie, body });
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
    await app.enrol(again.token, PASSWORD);
    assert.deepEqual(await app.signIn(person), WANTED);
  },

  "flag without a factor: explained, and reset": async ({ app, authctl }) => {
    const { person, totpURI } = await enrolled(app);
    const user = await app.user(person);
    await app.context.adapter.deleteMany({ model: "twoFactor", where: [{ field: "userId", value: user.id }] });
    const { cookie } = await challenge(app, person);
    assert.equal((await verify(app, cookie, { code: totp(totpURI) })).body.code, "TOTP_NOT_ENABLED");
    const { canSignIn, reasons } = await explain(authctl, person);
    assert.deepEqual([canSignIn, reasons[0].code], [false, "TOTP_NOT_ENABLED"]);
    await authctl.must(["-y", "users", "reset-2fa", person.email]);
    assert.ok((await app.signIn(person)).token);
  },

  "lock after wrong codes: explained, and lifted": async ({ app, authctl }) => {
    const { person, totpURI } = await enrolled(app);
    for (let failures = 0; failures < 10; failures += 5) {
      const { cookie } = await challenge(app, person);
      for (let wrong = 0; wrong < 5; wrong += 1) await verify(app, cookie, { code: "000000" });
    }
    const { cookie } = await challenge(app, person);
    assert.equal((await verify(app, cookie, { code: totp(totpURI) })).body.code, "ACCOUNT_TEMPORARILY_LOCKED");
    assert.equal((await explain(authctl, person)).reasons[0].code, "ACCOUNT_TEMPORARILY_LOCKED");
    await authctl.must(["users", "unlock", person.email]);
    assert.equal((await verify(app, cookie, { code: totp(totpURI) })).status, 200);
  },

  "lockdown: sessions, trusted devices, unfinished sign-ins and reset links": async ({ app, authctl }) => {
    const { person, totpURI, token } = await enrolled(app);
    const first = await challenge(app, person);
    const trusted = await verify(app, first.cookie, { code: totp(totpURI), trustDevice: true });
    assert.equal(trusted.status, 200);
    const lines = trusted.headers.getSetCookie();
    const device = lines.find((line) => line.startsWith("better-auth.trust_device=")).split(";")[0];
    const known = await challenge(app, person, device);
    assert.ok(known.body.token, "the app does not know the device that it trusts");
    const renewed = known.headers.getSetCookie().find((line) => line.startsWith("better-auth.trust_device="));
    const waiting = await challenge(app, person);
    const link = await app.resetCode(person);
    const { ended } = await authctl.json(["-y", "users", "lockdown", person.email]);
    assert.equal(ended.trustedDevices, 1);
    assert.equal(await app.session(token), null, "a session went on");
    assert.equal(await app.session(known.body.token), null, "a session went on");
    const after = await challenge(app, person, renewed ? renewed.split(";")[0] : device);
    assert.equal(after.body.token, undefined, "the device is still trusted");
    assert.notEqual((await verify(app, waiting.cookie, { code: totp(totpURI) })).status, 200, "the sign-in was finished");
    assert.equal(await app.reset(link, PASSWORD), false, "the link still works");
  },
};
