-- For pages of users in the order of their creation or their names.

CREATE INDEX "user_createdAt_idx" ON "user" ("createdAt", "id");
CREATE INDEX "user_name_idx" ON "user" ("name", "id");

PRAGMA user_version = 4;
