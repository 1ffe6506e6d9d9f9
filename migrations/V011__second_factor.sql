-- Second factors, a row for each user who has one or is setting one up. The columns are those of Better Auth's plugin.
-- "secret" is encrypted with a key that the database does not have, "backupCodes" holds digests, and "lastStep" is the
-- last step of time whose code was accepted, so that no code is accepted twice.

CREATE TABLE "authctl_twoFactor" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "secret" TEXT NOT NULL,
  "backupCodes" TEXT NOT NULL,
  "userId" TEXT NOT NULL REFERENCES "user" ("id"),
  "verified" INTEGER NOT NULL,
  "failedVerificationCount" INTEGER NOT NULL,
  "lockedUntil" INTEGER,
  "lastStep" INTEGER
) STRICT;

CREATE UNIQUE INDEX "authctl_twoFactor_userId_unique" ON "authctl_twoFactor" ("userId");

PRAGMA user_version = 11;
