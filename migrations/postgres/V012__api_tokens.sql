-- API tokens, with which programs act for a user. The columns are those of Better Auth's plugin for API keys where it has
-- them. "key" is the SHA-256 of the token, "start" its first characters, "scopes" the words of what it may do, with blanks
-- between them, and "lastRequest" the last use, to the hour.

CREATE TABLE "authctl_apikey" (
  "id" text COLLATE "C" NOT NULL,
  "name" text,
  "start" text NOT NULL,
  "key" text COLLATE "C" NOT NULL,
  "userId" text COLLATE "C" NOT NULL,
  "scopes" text NOT NULL,
  "createdAt" timestamptz NOT NULL,
  "expiresAt" timestamptz NOT NULL,
  "lastRequest" timestamptz,
  CONSTRAINT "authctl_apikey_pkey" PRIMARY KEY ("id"),
  CONSTRAINT "authctl_apikey_key_unique" UNIQUE ("key"),
  CONSTRAINT "authctl_apikey_userId_fkey" FOREIGN KEY ("userId") REFERENCES "user" ("id")
);

CREATE INDEX "authctl_apikey_userId_idx" ON "authctl_apikey" ("userId");
