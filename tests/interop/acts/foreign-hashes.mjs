// Password hashes of an earlier system in the form that Better Auth uses. Both sides take the same ones, and refuse the
// same ones.
import assert from "node:assert/strict";
import { scryptSync } from "node:crypto";
import { OTHER_PASSWORD, PASSWORD, newcomer } from "../driver/people.mjs";

const key = (salt, length = 64) => scryptSync(PASSWORD, salt, length, { N: 16384, r: 16, p: 1, maxmem: 2 ** 26 }).toString("hex");
const hash = (salt) => `${salt}:${key(salt)}`;

/** Each hash, and whether the password signs in with it. */
const HASHES = {
  "32 hex digits, as the library makes": [hash("0123456789abcdef0123456789abcdef"), true],
  "8 hex digits": [hash("0123abcd"), true],
  "128 hex digits": [hash("0123456789abcdef".repeat(8)), true],
  "capital hex digits": [hash("0123456789ABCDEF0123456789ABCDEF"), true],
  "16 letters": [hash("abcdefghijklmnop"), true],
  base64: [hash("q6/3+Z0kT1mGv9JwYw5bXg=="), true],
  "one letter": [hash("x"), true],
  "not ASCII": [hash("säl†"), true],
  "a third part": [`${hash("0123abcd")}:scrypt`, true],
  "no salt": [`:${key("")}`, false],
  "no key": ["0123456789abcdef:", false],
  "the key alone": [key("0123abcd"), false],
  "capitals in the key": [`0123abcd:${key("0123abcd").toUpperCase()}`, false],
  "a key of 32 bytes": [`0123abcd:${key("0123abcd", 32)}`, false],
};

/** Without the request the app does not print that the library throws at a hash without salt or key. */
const app = ({ app }, body) => app.auth.api.signInEmail({ body }).then(() => true, () => false);
const authctl = async ({ authctl }, person) => (await authctl.signIn(person)).token !== undefined;

export const foreignHashes = Object.fromEntries(Object.entries(HASHES).map(([name, [stored, isTaken]]) => [
  `foreign hash: ${name}`,
  async (world) => {
    const person = newcomer();
    const { id } = await world.app.createUser(person);
    await world.app.context.internalAdapter.updatePassword(id, stored);
    for (const takes of [app, authctl]) {
      assert.equal(await takes(world, person), isTaken, `${takes.name}, with the password`);
      assert.equal(await takes(world, { ...person, password: OTHER_PASSWORD }), false, `${takes.name}, with another password`);
    }
    await world.authctl.setPassword(person, OTHER_PASSWORD);
    assert.equal(await app(world, { ...person, password: OTHER_PASSWORD }), true, "the app, with the next password");
  },
]));
