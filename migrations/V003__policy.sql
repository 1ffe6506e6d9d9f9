-- What this database sets for itself. Only what differs from the default has a row.

CREATE TABLE "authctl_policy" (
  "key" TEXT PRIMARY KEY NOT NULL,
  "value" TEXT NOT NULL,
  "updatedAt" INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

PRAGMA user_version = 3;
