// API keys of the plugin: what authctl makes, the app verifies, and what the app made, authctl lists, ends and replaces.
import assert from "node:assert/strict";

export const tokens = {
  "tokens create, rotate, revoke": async (authctl, app) => {
    const person = await app.signUp({});
    const valid = async (key, permissions) => (await app.auth.api.verifyApiKey({ body: { key, permissions } })).valid;
    const words = ["tokens", "create", "--user", person.email, "--name", "ci", "--scope", "files:read"];
    const { token, apiToken } = await authctl.json(words);
    // By default the plugin allows ten uses a day.
    for (let use = 0; use < 12; use++) assert.ok(await valid(token, { files: ["read"] }), `use ${use}`);
    assert.ok(!(await valid(token, { files: ["write"] })), "a permission that the key does not have");
    assert.equal((await app.call("GET", "/get-session", { key: token })).body?.user?.id, person.id);
    const headers = new Headers({ authorization: `Bearer ${person.token}` });
    const { apiKeys } = await app.auth.api.listApiKeys({ headers });
    assert.deepEqual(apiKeys.map(({ id, name, start }) => [id, name, start]), [[apiToken.id, "ci", token.slice(0, 12)]]);
    const [{ lastRequest }] = (await authctl.json(["tokens", "list", "--user", person.email])).tokens;
    assert.ok(Date.now() - Date.parse(lastRequest) < 60_000, `last use ${lastRequest}`);
    const rotated = await authctl.json(["tokens", "rotate", apiToken.id, "--user", person.email]);
    assert.ok(await valid(rotated.token, { files: ["read"] }));
    assert.ok(!(await valid(token)), "the old text");
    await authctl.must(["tokens", "revoke", apiToken.id, "--user", person.email]);
    assert.ok(!(await valid(rotated.token)), "after the revocation");
  },
  "keys of the app": async (authctl, app) => {
    const person = await app.signUp({});
    const made = [];
    for (const name of ["first", "second"]) {
      made.push(await app.auth.api.createApiKey({ body: { userId: person.id, name, permissions: { files: ["read"] } } }));
    }
    const [first, second] = made;
    const { tokens: listed } = await authctl.json(["tokens", "list", "--user", person.email]);
    const seen = listed.map(({ id, name, start, enabled, scopes }) => [id, name, start, enabled, scopes.join()]).sort();
    assert.deepEqual(seen, made.map(({ id, name, start }) => [id, name, start, true, "files:read"]).sort());
    const verdict = async ({ key }) => (await app.auth.api.verifyApiKey({ body: { key } })).error?.code ?? "valid";
    await authctl.must(["tokens", "revoke", first.id, "--user", person.email]);
    assert.equal(await verdict(first), "KEY_DISABLED");
    await authctl.must(["tokens", "revoke", second.id, "--delete", "--user", person.email]);
    assert.equal(await verdict(second), "INVALID_API_KEY");
    const { tokens: left } = await authctl.json(["tokens", "list", "--user", person.email]);
    assert.deepEqual(left.map(({ id, enabled }) => [id, enabled]), [[first.id, false]]);
  },
};
