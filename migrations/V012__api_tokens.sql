-- API tokens, with which programs act for a user. The columns are those of Better Auth's plugin for API keys where it has
-- them. "key" is the SHA-256 of the token, "start" its first characters, "scopes" the words of what it may do, with blanks
-- between them, and "lastRequest" the last use, to the hour.

CREATE TABLE "authctl_apikey" (
  "id" TEXT PRIMARY KEY NOT NULL,
  "name" TEXT,
  "start" TEXT NOT NULL,
  "key" TEXT NOT NULL,
  "userId" TEXT NOT NULL REFERENCES "user" ("id"),
  "scopes" TEXT NOT NULL,
  "createdAt" INTEGER NOT NULL,
  "expiresAt" INTEGER NOT NULL,
  "lastRequest" INTEGER
) STRICT;

CREATE UNIQUE INDEX "authctl_apikey_key_unique" ON "authctl_apikey" ("key");

CREATE INDEX "authctl_apikey_userId_idx" ON "authctl_apikey" ("userId");

PRAGMA user_version = 12;
