// Whether each side sees, on its next request, what the other did to a session.
import assert from "node:assert/strict";
import { newcomer } from "../driver/people.mjs";
import { Missing } from "../driver/report.mjs";

const DAY = 86_400_000;
const ids = (sessions) => sessions.map(({ id }) => String(id)).sort();

async function signedIn(maker, times = 1) {
  const person = newcomer();
  await maker.createUser(person);
  const tokens = [];
  while (tokens.length < times) tokens.push((await maker.signIn(person)).token);
  return [person, ...tokens];
}

/** Moves a session to begin at `since` and end at `until`, through the library. */
function shift(app, token, until, since = Date.now()) {
  const [expiresAt, createdAt, updatedAt] = [until, since, since].map((time) => new Date(time));
  return app.context.internalAdapter.updateSession(token, { expiresAt, createdAt, updatedAt });
}

function near(time, expected, what) {
  const off = Math.abs(Date.parse(time) - expected);
  assert.ok(off < 60_000, `${what} is ${time}, expected about ${new Date(expected).toISOString()}`);
}

export const sessions = {
  "session made": async (maker, seer) => {
    const [person, token] = await signedIn(maker);
    const { session, user } = await seer.session(token);
    assert.equal(user.email, person.email);
    near(session.createdAt, Date.now(), "createdAt");
    near(session.expiresAt, Date.now() + 7 * DAY, "expiresAt");
  },

  "session of one day": async (maker, seer) => {
    const person = newcomer();
    await maker.createUser(person);
    const { token } = await maker.signIn({ ...person, rememberMe: false });
    near((await seer.look(token)).session.expiresAt, Date.now() + DAY, "expiresAt");
  },

  "sessions listed": async (maker, seer) => {
    const [, token] = await signedIn(maker, 2);
    assert.deepEqual(ids(await seer.sessions(token)), ids(await maker.sessions(token)));
  },

  "one session ended": async (maker, seer) => {
    const [, token, doomed] = await signedIn(seer, 2);
    await maker.endSession(token, (await seer.session(doomed)).session.id);
    assert.equal(await seer.session(doomed), null, `${seer.who} still takes the ended session`);
    assert.ok(await seer.session(token), "the session that acted has ended too");
  },

  "all other sessions ended": async (maker, seer) => {
    const [, token, doomed] = await signedIn(seer, 2);
    await maker.endOthers(token);
    assert.equal(await seer.session(doomed), null);
    assert.ok(await seer.session(token), "the session that acted has ended too");
  },

  "every session ended": async (maker, seer) => {
    const [, token, other] = await signedIn(seer, 2);
    await maker.endAll(token);
    assert.deepEqual([await seer.session(token), await seer.session(other)], [null, null]);
  },

  "signed out": async (maker, seer) => {
    const [, token] = await signedIn(seer);
    await maker.signOut(token);
    assert.equal(await seer.session(token), null);
  },

  "session moved forward by use in the app": async (maker, seer, { app }) => {
    if (maker !== app) throw new Missing("authctl moves no session of an app");
    const [, token] = await signedIn(seer);
    await shift(app, token, Date.now() + 5 * DAY, Date.now() - 2 * DAY);
    await maker.session(token);
    const { session } = await seer.look(token);
    near(session.expiresAt, Date.now() + 7 * DAY, "expiresAt");
    near(session.updatedAt, Date.now(), "updatedAt");
    near(session.createdAt, Date.now() - 2 * DAY, "createdAt");
  },

  "session that is not due is not extended": async (maker, seer, { app }) => {
    const [, token] = await signedIn(seer);
    const until = Date.now() + 6.5 * DAY;
    await shift(app, token, until, Date.now() - DAY / 2);
    await maker.session(token);
    near((await seer.look(token)).session.expiresAt, until, "expiresAt");
  },

  "session of thirty days is not cut short by use": async (maker, seer, { app }) => {
    const [, token] = await signedIn(seer);
    const until = Date.now() + 28 * DAY;
    await shift(app, token, until, Date.now() - 2 * DAY);
    await maker.session(token);
    near((await seer.look(token)).session.expiresAt, until, "expiresAt");
  },

  "expired session": async (maker, seer, { app }) => {
    const [, token] = await signedIn(maker);
    await shift(app, token, Date.now() - 2000);
    assert.equal(await seer.session(token), null, `${seer.who} takes an expired session`);
    assert.equal(await maker.session(token), null, `${maker.who} takes an expired session`);
  },
};

/** Acts that only one side can do. */
export const oneSided = {
  "signed cookie": async (maker, app) => {
    const person = newcomer();
    await maker.createUser(person);
    const cookie = await maker.cookieOf(person);
    assert.equal((await app.sessionByCookie(cookie))?.user.email, person.email, `the app does not take ${cookie}`);
  },
};

export const authctlOnly = {
  "use in authctl moves no session of the app": async (authctl, app) => {
    const [, token] = await signedIn(app);
    await shift(app, token, Date.now() + 5 * DAY, Date.now() - 2 * DAY);
    const { session: before } = await app.look(token);
    await authctl.session(token);
    await authctl.sessions(token);
    assert.deepEqual((await app.look(token)).session, before);
  },

  "expired sessions pruned, live ones kept": async (authctl, app) => {
    const [person, live, dead] = await signedIn(app, 2);
    await shift(app, dead, Date.now() - 2000);
    await authctl.prune();
    const left = await app.context.internalAdapter.findSession(dead);
    assert.equal(left, null, "the expired row is still there");
    assert.equal((await app.session(live)).user.email, person.email);
  },
};
