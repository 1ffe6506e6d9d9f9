// Both programs at the same time, and the state of the file after authctl has ended.
import assert from "node:assert/strict";
import { newcomer } from "../driver/people.mjs";

export const together = {
  "sign-ins while authctl writes": async ({ app, authctl }) => {
    const person = newcomer();
    await app.createUser(person);
    let writing = true;
    const failed = [];
    const signIns = (async () => {
      let done = 0;
      for (; writing; done += 1) {
        const { status, body } = await app.call("POST", "/sign-in/email", { body: person });
        if (status !== 200) failed.push(`${status} ${body?.code}`);
      }
      return done;
    })();
    try {
      for (let turn = 0; turn < 8; turn += 1) {
        await authctl.createUser(newcomer());
        await authctl.prune();
      }
    } finally {
      writing = false;
      await signIns;
    }
    const done = await signIns;
    assert.deepEqual(failed, [], `of ${done} sign-ins these failed`);
    assert.ok(done > 0, "no sign-in was tried");
  },

  "authctl writes while the app signs people up": async ({ app, authctl }) => {
    const people = Array.from({ length: 8 }, () => newcomer());
    const signUps = Promise.all(people.map((body) => app.call("POST", "/sign-up/email", { body })));
    try {
      for (let turn = 0; turn < 4; turn += 1) await Promise.all([authctl.createUser(newcomer()), authctl.prune()]);
    } finally {
      await signUps;
    }
    const failed = (await signUps).filter(({ status }) => status !== 200).map(({ body }) => body?.code);
    // Through Kysely on a file a sign-up is a transaction that reads, hashes and writes: another commit meanwhile, even one of
    // the app itself, makes it fail (422). It is all or nothing, and only there.
    const known = app.made === "kysely" && !app.isOnServer ? failed.filter((code) => code !== "FAILED_TO_CREATE_USER") : failed;
    assert.deepEqual(known, []);
  },
};

export const counts = {
  "db status counts as the app does": async ({ app, authctl }) => {
    const status = await authctl.json(["db", "status"]);
    const [people, sessions] = [await app.context.adapter.count({ model: "user" }), await app.context.adapter.findMany({ model: "session", limit: 10_000 })];
    const live = sessions.filter(({ expiresAt }) => new Date(expiresAt) > new Date()).length;
    assert.deepEqual([status.users, status.liveSessions, status.expiredSessions], [people, live, sessions.length - live]);
  },
};

export const afterwards = {
  "schema and pragmas untouched": async ({ database, before }) => {
    assert.deepEqual(database.fingerprint(), before);
  },

  "nothing beside the file": async ({ database }) => {
    assert.deepEqual(database.beside(), []);
  },

  "every time that the app reads is one": async ({ app }) => {
    const [from, to] = ["2019-01-01", "2101-01-01"].map((day) => new Date(day));
    const elsewhere = app.context.options.secondaryStorage ? ["session", "verification"] : [];
    for (const model of ["user", "session", "account", "verification"].filter((model) => !elsewhere.includes(model))) {
      for (const row of await app.context.adapter.findMany({ model, limit: 10_000 })) {
        const times = Object.entries(row).filter(([name, value]) => value !== null && /(At|Expires)$/.test(name));
        for (const [name, value] of times) assert.ok(value >= from && value < to, `${model}.${name} of ${row.id} is ${value}`);
      }
    }
  },

  "the app met no error": async ({ app }) => {
    assert.deepEqual(app.failures.map(String), []);
  },
};
