-- The audit log says who: addresses at the time of the act, and old and new values. "form" says which
-- columns the hash of a row covers: 1 for the rows that are there now, 2 for all that follow. It has no
-- default, so that an older authctl that still has the database open cannot add a row of form 1 after one
-- of form 2; that is why the table is made again instead of altered.
--
-- The rows wait in a temporary table, and the definition is short, so that the whole schema stays on the
-- first page of the file: a database of which every other page is damaged can still be restored.

CREATE TEMP TABLE "authctl_audit_form1" AS SELECT * FROM "authctl_audit";

DROP TABLE "authctl_audit";

CREATE TABLE "authctl_audit" ("seq" INTEGER PRIMARY KEY NOT NULL, "form" INTEGER NOT NULL, "at" INTEGER NOT NULL,
"event" TEXT NOT NULL, "osUser" TEXT NOT NULL, "host" TEXT NOT NULL, "actorId" TEXT, "actorEmail" TEXT,
"userId" TEXT, "userEmail" TEXT, "sessionId" TEXT, "reason" TEXT, "detail" TEXT, "changes" TEXT,
"hash" TEXT NOT NULL) STRICT;

INSERT INTO "authctl_audit"
  ("seq", "form", "at", "event", "osUser", "host", "actorId", "userId", "sessionId", "reason", "detail", "hash")
  SELECT "seq", 1, "at", "event", "osUser", "host", "actorId", "userId", "sessionId", "reason", "detail", "hash"
  FROM "authctl_audit_form1" ORDER BY "seq";

DROP TABLE "authctl_audit_form1";

CREATE INDEX "authctl_audit_userId_idx" ON "authctl_audit" ("userId", "seq");

PRAGMA user_version = 6;
