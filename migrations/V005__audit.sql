-- What was done, by whom. Each row's hash covers the row and the hash before it, so that a row that is
-- edited, removed or moved breaks the chain.

CREATE TABLE "authctl_audit" (
  "seq" INTEGER PRIMARY KEY NOT NULL,
  "at" INTEGER NOT NULL,
  "event" TEXT NOT NULL,
  "osUser" TEXT NOT NULL,
  "host" TEXT NOT NULL,
  "actorId" TEXT,
  "userId" TEXT,
  "sessionId" TEXT,
  "reason" TEXT,
  "detail" TEXT,
  "hash" TEXT NOT NULL
) STRICT;

CREATE INDEX "authctl_audit_userId_idx" ON "authctl_audit" ("userId", "seq");

PRAGMA user_version = 5;
