// Organizations of the plugin: what authctl writes about members and invitations, the app serves, and the other way round.
import assert from "node:assert/strict";

const [ALREADY, REFUSED] = [6, 5];

let count = 0;

/** An organization that its owner made in the app. */
async function founded(app) {
  count += 1;
  const owner = await app.signUp();
  const body = { name: `Acme ${count}`, slug: `acme-${count}` };
  const { id, slug } = await app.must("POST", "/organization/create", { token: owner.token, body });
  return { owner, id, slug };
}

const query = (path, parameters) => `/organization/${path}?${new URLSearchParams(parameters)}`;

/** The members that the app lists, with their roles. */
async function inApp(app, { id, owner }) {
  const { members } = await app.must("GET", query("list-members", { organizationId: id }), { token: owner.token });
  return members.map(({ user, role }) => `${user.email} ${role}`).sort();
}

/** The members that authctl lists. */
async function inAuthctl(authctl, { slug }) {
  const { members } = await authctl.json(["orgs", "members", slug]);
  return members.map(({ email, role }) => `${email} ${role}`).sort();
}

const roles = (...members) => members.map(([{ email }, role]) => `${email} ${role}`).sort();

async function may(app, { token }, { id: organizationId }, permissions) {
  const body = { organizationId, permissions };
  const { body: answer } = await app.call("POST", "/organization/has-permission", { token, body });
  return answer?.success === true;
}

const UPDATE = { organization: ["update"] };

/** The organization that a session has chosen. */
const active = async (app, { token }) => (await app.must("GET", "/get-session", { token })).session.activeOrganizationId;

const refusal = async (authctl, words, code, name) => {
  const done = await authctl.run(["--json", ...words]);
  assert.equal(done.code, code, done.stderr);
  assert.equal(JSON.parse(done.stderr).error.code, name);
};

export const organizations = {
  "member added, given a role and removed by authctl": async ({ authctl, app }) => {
    const [acme, bob] = [await founded(app), await app.signUp()];
    const { owner, slug, id: organizationId } = acme;
    await authctl.must(["orgs", "add", slug, bob.email]);
    assert.deepEqual(await inApp(app, acme), roles([owner, "owner"], [bob, "member"]));
    const full = await app.must("GET", query("get-full-organization", { organizationId }), { token: bob.token });
    assert.deepEqual(full.members.map(({ userId }) => userId).sort(), [owner.id, bob.id].sort());
    assert.ok(Date.now() - Date.parse(full.members.find(({ userId }) => userId === bob.id).createdAt) < 60_000);
    assert.ok(!(await may(app, bob, acme, UPDATE)), "a member may change the organization");
    await authctl.must(["orgs", "set-role", slug, bob.email, "admin"]);
    assert.ok(await may(app, bob, acme, UPDATE), "an administrator may not change the organization");
    await app.must("POST", "/organization/set-active", { token: bob.token, body: { organizationId } });
    assert.equal(await active(app, bob), organizationId);
    await authctl.must(["-y", "orgs", "remove", slug, bob.email]);
    assert.equal(await active(app, bob), null, "the session has still chosen the organization");
    assert.equal(await active(app, owner), organizationId, "the session of another member was changed");
    assert.deepEqual(await inApp(app, acme), roles([owner, "owner"]));
    const after = await app.call("GET", query("get-full-organization", { organizationId }), { token: bob.token });
    assert.equal(after.status, 403);
    assert.ok(!(await may(app, bob, acme, UPDATE)));
  },

  "member added, given a role and removed by the app": async ({ authctl, app }) => {
    const [acme, bob] = [await founded(app), await app.signUp()];
    const { owner, slug, id: organizationId } = acme;
    const { id: memberId } = await app.auth.api.addMember({ body: { userId: bob.id, organizationId, role: "member" } });
    await refusal(authctl, ["orgs", "add", slug, bob.email], ALREADY, "USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION");
    const body = { organizationId, memberId, role: ["admin", "member"] };
    await app.must("POST", "/organization/update-member-role", { token: owner.token, body });
    assert.deepEqual(await inAuthctl(authctl, acme), roles([owner, "owner"], [bob, "admin,member"]));
    await app.must("POST", "/organization/remove-member", { token: owner.token, body: { organizationId, memberIdOrEmail: bob.email } });
    assert.deepEqual(await inAuthctl(authctl, acme), roles([owner, "owner"]));
    await authctl.must(["orgs", "add", slug, bob.email, "--role", "admin,member"]);
    assert.ok(await may(app, bob, acme, UPDATE), "several roles");
    const again = { organizationId, userId: bob.id, role: "member" };
    await assert.rejects(app.auth.api.addMember({ body: again }), /already a member/i);
  },

  "invitation by authctl, accepted in the app": async ({ authctl, app }) => {
    const [acme, guest, other] = [await founded(app), await app.signUp({ emailVerified: true }), await app.signUp({ emailVerified: true })];
    const { owner, slug, id: organizationId } = acme;
    const id = await authctl.must(["orgs", "invite", slug, guest.email, "--role", "admin"]);
    const { pendingInvitations } = (await authctl.json(["orgs", "show", slug])).organization;
    assert.equal(pendingInvitations, 1);
    const seen = await app.must("GET", query("get-invitation", { id }), { token: guest.token });
    assert.deepEqual([seen.organizationSlug, seen.inviterEmail, seen.role], [slug, owner.email, "admin"]);
    const left = Date.parse(seen.expiresAt) - Date.now();
    assert.ok(left > 47 * 3_600_000 && left <= 48 * 3_600_000, `the invitation ends at ${seen.expiresAt}`);
    const doubled = { organizationId, email: guest.email, role: "member" };
    const twice = await app.call("POST", "/organization/invite-member", { token: owner.token, body: doubled });
    assert.equal(twice.body.code, "USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION");
    const accept = ({ token }) => app.call("POST", "/organization/accept-invitation", { token, body: { invitationId: id } });
    assert.equal((await accept(other)).status, 403, "another address");
    assert.equal((await accept(guest)).status, 200);
    assert.deepEqual(await inAuthctl(authctl, acme), roles([owner, "owner"], [guest, "admin"]));
    assert.ok(await may(app, guest, acme, UPDATE));
    assert.equal((await accept(guest)).status, 400, "a second time");
    await refusal(authctl, ["orgs", "invite", slug, guest.email], ALREADY, "USER_IS_ALREADY_A_MEMBER_OF_THIS_ORGANIZATION");
  },

  "invitation by the app, counted and not repeated by authctl": async ({ authctl, app }) => {
    const [acme, guest] = [await founded(app), await app.signUp({ emailVerified: true })];
    const { owner, slug, id: organizationId } = acme;
    const body = { organizationId, email: guest.email, role: "member" };
    const { id: invitationId } = await app.must("POST", "/organization/invite-member", { token: owner.token, body });
    const pending = async () => (await authctl.json(["orgs", "show", slug])).organization.pendingInvitations;
    assert.equal(await pending(), 1);
    const again = ["orgs", "invite", slug, guest.email.toUpperCase()];
    await refusal(authctl, again, ALREADY, "USER_IS_ALREADY_INVITED_TO_THIS_ORGANIZATION");
    await app.must("POST", "/organization/cancel-invitation", { token: owner.token, body: { invitationId } });
    assert.equal(await pending(), 0);
    const id = await authctl.must(again);
    await app.must("POST", "/organization/reject-invitation", { token: guest.token, body: { invitationId: id } });
    assert.equal(await pending(), 0);
  },

  "last owner stays": async ({ authctl, app }) => {
    const [acme, bob] = [await founded(app), await app.signUp()];
    const { owner, slug, id: organizationId } = acme;
    const last = "YOU_CANNOT_LEAVE_THE_ORGANIZATION_AS_THE_ONLY_OWNER";
    await refusal(authctl, ["-y", "orgs", "remove", slug, owner.email], REFUSED, last);
    await refusal(authctl, ["orgs", "set-role", slug, owner.email, "admin"], REFUSED, last);
    await authctl.must(["orgs", "add", slug, bob.email, "--role", "owner"]);
    await authctl.must(["orgs", "set-role", slug, owner.email, "member"]);
    assert.deepEqual(await inApp(app, acme), roles([owner, "member"], [bob, "owner"]));
    const leave = await app.call("POST", "/organization/leave", { token: bob.token, body: { organizationId } });
    assert.equal(leave.body.code, last, "the app does not know the owner that authctl made");
    await refusal(authctl, ["-y", "orgs", "remove", slug, bob.email], REFUSED, last);
  },

  "member removed by authctl leaves the teams": async ({ authctl, app }) => {
    const [acme, bob] = [await founded(app), await app.signUp()];
    const { owner, slug, id: organizationId } = acme;
    await authctl.must(["orgs", "add", slug, bob.email]);
    const byOwner = (path, body) => app.must("POST", `/organization/${path}`, { token: owner.token, body });
    const { id: teamId } = await byOwner("create-team", { name: "Core", organizationId });
    for (const { id: userId } of [owner, bob]) await byOwner("add-team-member", { teamId, userId, organizationId });
    await app.must("POST", "/organization/set-active", { token: bob.token, body: { organizationId } });
    await app.must("POST", "/organization/set-active-team", { token: bob.token, body: { teamId } });
    await authctl.must(["-y", "orgs", "remove", slug, bob.email]);
    const members = await app.must("GET", query("list-team-members", { teamId }), { token: owner.token });
    assert.deepEqual(members.map(({ userId }) => userId), [owner.id]);
    const { session } = await app.must("GET", "/get-session", { token: bob.token });
    assert.deepEqual([session.activeOrganizationId, session.activeTeamId], [null, null]);
    await authctl.must(["orgs", "add", slug, bob.email]);
    await byOwner("add-team-member", { teamId, userId: bob.id, organizationId });
    assert.equal((await app.must("GET", query("list-team-members", { teamId }), { token: owner.token })).length, 2);
  },
};
