-- Failed attempts to sign in. The key is a digest of the address: what somebody mistyped, perhaps a
-- password, is nobody's business.

CREATE TABLE "authctl_throttle" (
  "key" TEXT PRIMARY KEY NOT NULL,
  "count" INTEGER NOT NULL,
  "notBefore" INTEGER NOT NULL,
  "lastAt" INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 2;
