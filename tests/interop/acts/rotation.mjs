// Another secret of the app: what authctl encrypts again, the app reads, and what no secret reads, the app replaces.
import assert from "node:assert/strict";
import { symmetricDecrypt, symmetricEncrypt } from "better-auth/crypto";
import { SECRET } from "../app/auth.mjs";

const NEXT = "another-secret-Z9y8X7w6V5u4T3s2R1q0P9o8N7m6";
const UNRELATED = "unrelated-secret-K1j2H3g4F5d6S7a8Q9w0E1r2T3y4";

/** The id of the key that signs a token of the plugin `jwt` for a session; the status, if the app signs none. */
async function signer(app, token) {
  const { status, body } = await app.call("GET", "/token", { token });
  return status === 200 ? JSON.parse(Buffer.from(body.token.split(".")[0], "base64url")).kid : status;
}

const account = ({ id }) => ({ model: "account", where: [{ field: "userId", value: id }] });

export const rotation = {
  "secret rotate: signing keys and tokens of providers": async ({ authctl, app, reopened }) => {
    const person = await app.signUp();
    const kid = await signer(app, person.token);
    assert.equal(typeof kid, "string", `no token: ${kid}`);
    const accessToken = await symmetricEncrypt({ key: SECRET, data: "token-of-a-provider" });
    await app.context.adapter.update({ ...account(person), update: { accessToken } });
    const env = { BETTER_AUTH_SECRETS: `2:${NEXT}`, BETTER_AUTH_SECRET: SECRET };
    const unrotated = await reopened({ secret: NEXT });
    assert.equal(await signer(unrotated, person.token), 500, "another secret alone reads the keys");
    await unrotated.stop();
    await authctl.must(["-y", "secret", "rotate"], { env });
    const renewed = await reopened({ secret: undefined, secrets: [{ version: 2, value: NEXT }] });
    try {
      assert.equal(await signer(renewed, person.token), kid);
      const { accessToken: stored } = await renewed.context.adapter.findOne(account(person));
      assert.equal(await symmetricDecrypt({ key: { keys: new Map([[2, NEXT]]), currentVersion: 2 }, data: stored }), "token-of-a-provider");
      assert.equal(stored.slice(0, 6), "$ba$2$");
    } finally {
      await renewed.stop();
    }
  },

  "secret lost: the app makes another key": async ({ authctl, reopened }) => {
    const app = await reopened({ secret: UNRELATED });
    try {
      const person = await app.signUp();
      assert.equal(await signer(app, person.token), 500, "the keys can be read");
      const env = { BETTER_AUTH_SECRET: UNRELATED };
      assert.equal((await authctl.run(["secret", "check"], { env })).code, 1);
      assert.notEqual((await authctl.run(["-y", "secret", "rotate"], { env })).code, 0);
      await authctl.must(["-y", "secret", "rotate", "--expire-keys", "--leave-unreadable"], { env });
      assert.equal(typeof (await signer(app, person.token)), "string");
    } finally {
      await app.stop();
    }
  },
};
