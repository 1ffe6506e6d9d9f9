-- For lists of the few users with a role of their own or a ban, and of the entries about or by a user.
--
-- Each entry is in both of the first two indexes of the log, also if it names no user: what a failed sign-in writes does
-- not show whether there is a user with the address. An act of users about themselves is not in the last two.

CREATE INDEX "user_role_idx" ON "user" ("role") WHERE "role" <> 'user';
CREATE INDEX "user_banned_idx" ON "user" ("banned") WHERE "banned" <> 0;

CREATE INDEX "authctl_audit_user" ON "authctl_audit" ("userId");
CREATE INDEX "authctl_audit_userEmail" ON "authctl_audit" ("userEmail" COLLATE NOCASE);
CREATE INDEX "authctl_audit_actor" ON "authctl_audit" ("actorId")
WHERE "actorId" IS NOT NULL AND "actorId" IS NOT "userId";
CREATE INDEX "authctl_audit_actorEmail" ON "authctl_audit" ("actorEmail" COLLATE NOCASE)
WHERE "actorEmail" IS NOT NULL AND "actorEmail" IS NOT "userEmail";

PRAGMA user_version = 9;
