-- Second factors, a row for each user who has one or is setting one up. The columns are those of Better Auth's plugin.
-- "secret" is encrypted with a key that the database does not have, "backupCodes" holds digests, and "lastStep" is the
-- last step of time whose code was accepted, so that no code is accepted twice.

CREATE TABLE "authctl_twoFactor" (
  "id" text COLLATE "C" NOT NULL,
  "secret" text NOT NULL,
  "backupCodes" text NOT NULL,
  "userId" text COLLATE "C" NOT NULL,
  "verified" boolean NOT NULL,
  "failedVerificationCount" bigint NOT NULL,
  "lockedUntil" timestamptz,
  "lastStep" bigint,
  CONSTRAINT "authctl_twoFactor_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "authctl_twoFactor_userId_unique" UNIQUE ("userId"),
  CONSTRAINT "authctl_twoFactor_userId_fkey" FOREIGN KEY ("userId") REFERENCES "user" ("id")
);
