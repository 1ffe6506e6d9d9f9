-- For searches in names and addresses: every three characters of them, each with the users who have it. The index has no
-- text, and what it finds is compared with the user.
--
-- authctl runs no triggers and keeps the index itself. The triggers do it for other programs. They are short, because
-- SQLite reads them at each start.

CREATE VIRTUAL TABLE "authctl_search" USING fts5("email", "name", content = '', columnsize = 0, detail = 'none', tokenize = 'trigram');

-- What is deleted leaves nothing behind.
INSERT INTO "authctl_search" ("authctl_search", "rank") VALUES ('secure-delete', 1);

INSERT INTO "authctl_search" ("rowid", "email", "name")
SELECT "rowid", "email", "name" FROM "user";

CREATE TRIGGER "authctl_search_changed" AFTER UPDATE OF "email", "name" ON "user" BEGIN
  INSERT INTO authctl_search (authctl_search, rowid, email, name) VALUES ('delete', old.rowid, old.email, old.name);
  INSERT INTO authctl_search (rowid, email, name) VALUES (new.rowid, new.email, new.name);
END;

CREATE TRIGGER "authctl_search_deleted" AFTER DELETE ON "user" BEGIN
  INSERT INTO authctl_search (authctl_search, rowid, email, name) VALUES ('delete', old.rowid, old.email, old.name);
END;

PRAGMA user_version = 10;
