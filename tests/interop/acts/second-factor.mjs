// Second factors that authctl resets, unlocks and locks down, as the app sees them afterwards.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { symmetricDecrypt } from "better-auth/crypto";
import { SECRET, openApp } from "../app/auth.mjs";
import { totp } from "../app/totp.mjs";
import { challenge, enrol, trust, verify } from "../driver/factor.mjs";
import { Served } from "../driver/http.mjs";
import { PASSWORD, newcomer } from "../driver/people.mjs";

const WANTED = { refused: "SECOND_FACTOR_WANTED" };

/** A person with a factor, its address for an authenticator, and a live session. */
async function enrolled(app) {
  const person = newcomer();
  await app.createUser(person);
  return { person, ...(await enrol(app, (await app.signIn(person)).token, PASSWORD)) };
}

const KNOWN = { BETTER_AUTH_SECRET: SECRET };

/** Signs in through authctl with a code of the second factor; answers its exit code. */
const signInWith = async (authctl, { email, password }, code, env = KNOWN) => {
  const words = ["signin", email, "--password-stdin", "--otp-stdin", "--print-token"];
  return (await authctl.run(words, { lines: [password, code], env })).code;
};

/** The row of a person's factor, as the app reads it. */
const row = async (app, person) => {
  const { id } = await app.user(person);
  return app.context.adapter.findOne({ model: "twoFactor", where: [{ field: "userId", value: id }] });
};

/** Sets a factor up through authctl; answers its address for an authenticator and the recovery codes. */
async function enrolByAuthctl(authctl, { password }, token, known = KNOWN) {
  const env = { ...known, AUTHCTL_TOKEN: token };
  const { uri } = await authctl.json(["2fa", "enable", "--password-stdin"], { lines: [password], env });
  const { recoveryCodes } = await authctl.json(["2fa", "enable", "--otp-stdin"], { lines: [totp(uri)], env });
  return { uri, recoveryCodes };
}

/** Whether the app takes the code that an authenticator shows now. */
async function answers(app, person, totpURI) {
  const { cookie } = await challenge(app, person);
  return (await verify(app, { totpURI, cookie })).status === 200;
}

async function takesBackupCode(app, person, code) {
  const { cookie } = await challenge(app, person);
  return (await app.call("POST", "/two-factor/verify-backup-code", { cookie, body: { code } })).status === 200;
}

const NEXT = "another-secret-Z9y8X7w6V5u4T3s2R1q0P9o8N7m6";

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

  "factor of the app: its codes and backup codes sign in through authctl": async ({ app, authctl }) => {
    const { person, totpURI } = await enrolled(app);
    assert.equal(await signInWith(authctl, person, totp(totpURI)), 0);
    assert.equal(await signInWith(authctl, person, totp(totpURI), {}), 5, "without the app's secret");
    assert.equal(await signInWith(authctl, person, "000000"), 7);
    assert.equal((await row(app, person)).failedVerificationCount, 1);
    const codes = JSON.parse(await symmetricDecrypt({ key: SECRET, data: (await row(app, person)).backupCodes }));
    assert.equal(await signInWith(authctl, person, codes[0]), 0);
    assert.equal(await signInWith(authctl, person, codes[0]), 7, "a backup code worked twice");
    const { cookie } = await challenge(app, person);
    const verifyCode = (code) => app.call("POST", "/two-factor/verify-backup-code", { cookie, body: { code } });
    assert.notEqual((await verifyCode(codes[0])).status, 200, "the app takes a code that authctl used up");
    assert.equal((await verifyCode(codes[1])).status, 200);
    assert.equal(await signInWith(authctl, person, codes[1]), 7, "authctl takes a code that the app used up");
  },

  "factor that authctl sets up: the app asks for it and takes its codes": async ({ app, authctl }) => {
    const person = newcomer();
    await app.createUser(person);
    const { token } = await app.signIn(person);
    const env = { ...KNOWN, AUTHCTL_TOKEN: token };
    const { uri } = await authctl.json(["2fa", "enable", "--password-stdin"], { lines: [person.password], env });
    assert.ok((await app.signIn(person)).token, "a factor without its first code is asked for");
    const { recoveryCodes } = await authctl.json(["2fa", "enable", "--otp-stdin"], { lines: [totp(uri)], env });
    assert.deepEqual(await app.signIn(person), WANTED);
    const { cookie } = await challenge(app, person);
    assert.equal((await verify(app, { totpURI: uri, cookie })).status, 200);
    const other = await challenge(app, person);
    const body = { code: recoveryCodes[3] };
    assert.equal((await app.call("POST", "/two-factor/verify-backup-code", { cookie: other.cookie, body })).status, 200);
    const lines = [person.password, recoveryCodes[4]];
    await authctl.must(["2fa", "disable", "--password-stdin", "--otp-stdin"], { lines, env });
    assert.ok((await app.signIn(person)).token, "the app still asks for the factor");
  },

  "secret rotated: the app goes on with the new one alone": async ({ app, authctl, database }) => {
    const [byApp, person] = [await enrolled(app), await app.signUp()];
    const byAuthctl = await enrolByAuthctl(authctl, person, person.token);
    const [ofApp, ofAuthctl] = [[byApp.person, byApp.totpURI], [person, byAuthctl.uri]];
    for (const factor of [ofApp, ofAuthctl]) assert.ok(await answers(app, ...factor), "before the rotation");
    const next = { BETTER_AUTH_SECRETS: `2:${NEXT}` };
    const dry = await authctl.json(["secret", "rotate", "--dry-run"], { env: { ...next, ...KNOWN } });
    assert.ok(await answers(app, ...ofApp), "the dry run wrote");
    const done = await authctl.json(["-y", "secret", "rotate"], { env: { ...next, ...KNOWN } });
    assert.equal(done.written, dry.written);
    const key = { keys: new Map([[2, NEXT]]), currentVersion: 2 };
    const stored = await row(app, byApp.person);
    const codes = JSON.parse(await symmetricDecrypt({ key, data: stored.backupCodes }));
    const secrets = [{ version: 2, value: NEXT }];
    const renewed = Object.assign(new Served(), await openApp(app.variant, database.place, { secret: undefined, secrets }));
    await renewed.serve(renewed.auth);
    try {
      for (const factor of [ofApp, ofAuthctl]) assert.ok(await answers(renewed, ...factor), "after the rotation");
      assert.ok(await takesBackupCode(renewed, byApp.person, codes[0]));
      assert.ok(await takesBackupCode(renewed, person, byAuthctl.recoveryCodes[0]));
      assert.equal(await signInWith(authctl, byApp.person, totp(byApp.totpURI), next), 0);
      assert.equal(await signInWith(authctl, person, byAuthctl.recoveryCodes[1], next), 0);
      assert.equal(await signInWith(authctl, byApp.person, codes[1], KNOWN), 9, "the old secret alone");
      const [later, another] = [await renewed.signUp(), await renewed.signUp()];
      const { uri } = await enrolByAuthctl(authctl, later, later.token, next);
      assert.ok(await answers(renewed, later, uri), "set up by authctl under the new secret");
      const { totpURI } = await enrol(renewed, another.token, another.password);
      assert.equal(await signInWith(authctl, another, totp(totpURI), next), 0);
    } finally {
      await renewed.stop();
    }
    const old = join(authctl.home, "old-secret");
    writeFileSync(old, NEXT, { mode: 0o600 });
    await authctl.must(["-y", "secret", "rotate", "--old-secret-file", old], { env: KNOWN });
    for (const factor of [ofApp, ofAuthctl]) assert.ok(await answers(app, ...factor), "after the way back");
  },
};
