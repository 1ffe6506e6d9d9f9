// API keys of the plugin: what authctl makes, the app verifies, and what the app made, authctl lists, ends and replaces.
import assert from "node:assert/strict";

/** What the app says of a key: `valid`, or the code of its refusal. */
async function verdict(app, key, permissions) {
  const { valid, error } = await app.auth.api.verifyApiKey({ body: { key, permissions } });
  return valid ? "valid" : error.code;
}

const ofUser = ({ email }) => ["--user", email];
const made = (app, { id: userId }, fields) => app.auth.api.createApiKey({ body: { userId, ...fields } });
const listed = async (authctl, person) => (await authctl.json(["tokens", "list", ...ofUser(person)])).tokens;

export const tokens = {
  "tokens create, rotate, revoke": async ({ authctl, app }) => {
    const person = await app.signUp();
    const words = ["tokens", "create", ...ofUser(person), "--name", "ci", "--scope", "files:read"];
    const { token, apiToken } = await authctl.json(words);
    // By default the plugin allows ten uses a day.
    for (let use = 0; use < 12; use++) assert.equal(await verdict(app, token, { files: ["read"] }), "valid", `use ${use}`);
    assert.equal(await verdict(app, token, { files: ["write"] }), "KEY_NOT_FOUND", "a permission that the key does not have");
    assert.equal((await app.call("GET", "/get-session", { key: token })).body?.user?.id, person.id);
    const headers = new Headers({ authorization: `Bearer ${person.token}` });
    const { apiKeys } = await app.auth.api.listApiKeys({ headers });
    assert.deepEqual(apiKeys.map(({ id, name, start }) => [id, name, start]), [[apiToken.id, "ci", token.slice(0, 12)]]);
    const [{ lastRequest }] = await listed(authctl, person);
    assert.ok(Date.now() - Date.parse(lastRequest) < 60_000, `last use ${lastRequest}`);
    const rotated = await authctl.json(["tokens", "rotate", apiToken.id, ...ofUser(person)]);
    assert.equal(await verdict(app, rotated.token, { files: ["read"] }), "valid");
    assert.equal(await verdict(app, token), "INVALID_API_KEY", "the old text");
    await authctl.must(["tokens", "revoke", apiToken.id, ...ofUser(person)]);
    assert.equal(await verdict(app, rotated.token), "KEY_DISABLED");
  },

  "key of authctl, column by column as the app writes it": async ({ authctl, app, database }) => {
    const person = await app.signUp();
    const fields = { name: "ci", prefix: "authctl_", expiresIn: 90 * 86_400, permissions: { files: ["read"] } };
    const theirs = await made(app, person, { ...fields, rateLimitEnabled: false });
    const words = ["tokens", "create", ...ofUser(person), "--name", "ci", "--scope", "files:read"];
    const ours = (await authctl.json(words)).apiToken;
    const shape = ({ id }) => database.shapeOfNewestRow(undefined, "apikey", "id", id);
    assert.deepEqual(await shape(ours), await shape(theirs));
    const row = ({ id }) => app.context.adapter.findOne({ model: "apikey", where: [{ field: "id", value: id }] });
    const same = ["configId", "name", "prefix", "enabled", "referenceId", "rateLimitEnabled", "rateLimitMax"];
    same.push("rateLimitTimeWindow", "requestCount", "remaining", "refillAmount", "permissions", "metadata");
    const [a, b] = [await row(ours), await row(theirs)];
    for (const name of same) assert.deepEqual(a[name], b[name], name);
    // With the limit on, which an administrator of the app may do, the key has that of the plugin.
    const { token } = await authctl.json(words);
    const [{ id: keyId }] = await listed(authctl, person);
    await app.auth.api.updateApiKey({ body: { userId: person.id, keyId, rateLimitEnabled: true } });
    for (let use = 0; use < 10; use++) assert.equal(await verdict(app, token), "valid", `use ${use}`);
    assert.equal(await verdict(app, token), "RATE_LIMITED");
  },

  "keys of the app": async ({ authctl, app }) => {
    const person = await app.signUp();
    const permissions = { files: ["read"] };
    const [first, second] = [await made(app, person, { name: "first", permissions }), await made(app, person, { name: "second", permissions })];
    const seen = (await listed(authctl, person)).map(({ id, name, start, enabled, scopes }) => [id, name, start, enabled, scopes.join()]);
    assert.deepEqual(seen.sort(), [first, second].map(({ id, name, start }) => [id, name, start, true, "files:read"]).sort());
    await authctl.must(["tokens", "revoke", first.id, ...ofUser(person)]);
    assert.equal(await verdict(app, first.key), "KEY_DISABLED");
    await authctl.must(["tokens", "revoke", second.id, "--delete", ...ofUser(person)]);
    assert.equal(await verdict(app, second.key), "INVALID_API_KEY");
    assert.deepEqual((await listed(authctl, person)).map(({ id, enabled }) => [id, enabled]), [[first.id, false]]);
    await authctl.must(["tokens", "rotate", first.id, ...ofUser(person)]);
    assert.deepEqual((await listed(authctl, person)).map(({ enabled }) => enabled), [false], "a new text turned the key on");
  },

  "key of the app with limits: a new text keeps them": async ({ authctl, app }) => {
    const person = await app.signUp();
    const limits = { rateLimitEnabled: true, rateLimitMax: 2, rateLimitTimeWindow: 3_600_000, permissions: { files: ["read"] } };
    const { id, key } = await made(app, person, limits);
    for (let use = 0; use < 2; use++) assert.equal(await verdict(app, key), "valid", `use ${use}`);
    assert.equal(await verdict(app, key), "RATE_LIMITED");
    const { token } = await authctl.json(["tokens", "rotate", id, ...ofUser(person)]);
    assert.equal(await verdict(app, key), "INVALID_API_KEY");
    assert.equal(await verdict(app, token), "RATE_LIMITED");
    assert.equal(await verdict(app, token, { files: ["write"] }), "KEY_NOT_FOUND");
    const once = await made(app, person, { remaining: 2 });
    const { token: replaced } = await authctl.json(["tokens", "rotate", once.id, ...ofUser(person)]);
    assert.deepEqual([await verdict(app, replaced), await verdict(app, replaced)], ["valid", "valid"]);
    assert.equal(await verdict(app, replaced), "USAGE_EXCEEDED");
    assert.deepEqual((await listed(authctl, person)).map((left) => left.id), [id], "the app has deleted the key");
  },

  "keys that have expired": async ({ authctl, app }) => {
    const person = await app.signUp();
    const { id } = await made(app, person, { expiresIn: 86_400 });
    const { token, apiToken } = await authctl.json(["tokens", "create", ...ofUser(person), "--for", "1m"]);
    assert.ok(Math.abs(Date.parse(apiToken.expiresAt) - Date.now() - 60_000) < 30_000, apiToken.expiresAt);
    assert.equal(await verdict(app, token), "valid");
    const past = new Date(Date.now() - 1000);
    for (const key of [id, apiToken.id]) {
      await app.context.adapter.update({ model: "apikey", where: [{ field: "id", value: key }], update: { expiresAt: past } });
    }
    const ends = (await listed(authctl, person)).map(({ expiresAt }) => Math.abs(Date.parse(expiresAt) - past) < 1000);
    assert.deepEqual(ends, [true, true]);
    assert.equal(await verdict(app, token), "KEY_EXPIRED");
    assert.deepEqual((await listed(authctl, person)).map((left) => left.id), [id], "the app has deleted the key");
  },

  "key of the app in AUTHCTL_TOKEN": async ({ authctl, app }) => {
    const person = await app.signUp();
    const { key } = await made(app, person, {});
    const { token } = await authctl.json(["tokens", "create", ...ofUser(person)]);
    for (const given of [key, token]) {
      const { code, stderr } = await authctl.run(["whoami"], { env: { AUTHCTL_TOKEN: given } });
      assert.equal(code, 4, stderr);
      assert.match(stderr, /API key/, "the message does not name the reason");
    }
  },
};
