-- An app of Better Auth takes the four tables for its own. Users whom it adds get an argon2id hash from authctl at
-- their next sign-in, and the app cannot verify that. These triggers make the first write of an app fail. authctl runs
-- no triggers in its own databases, so its writes pass. The words are those of the error in the app's log.
--
-- The schema takes a second page from here on. A database of which that page is damaged can still be restored, because
-- a restore no longer needs the schema that it replaces.

CREATE TRIGGER "authctl_only_user" BEFORE INSERT ON "user"
BEGIN SELECT RAISE(ABORT, 'authctl made this database, and no app can use it: see authctl db convert'); END;

CREATE TRIGGER "authctl_only_session" BEFORE INSERT ON "session"
BEGIN SELECT RAISE(ABORT, 'authctl made this database, and no app can use it: see authctl db convert'); END;

CREATE TRIGGER "authctl_only_account" BEFORE INSERT ON "account"
BEGIN SELECT RAISE(ABORT, 'authctl made this database, and no app can use it: see authctl db convert'); END;

CREATE TRIGGER "authctl_only_verification" BEFORE INSERT ON "verification"
BEGIN SELECT RAISE(ABORT, 'authctl made this database, and no app can use it: see authctl db convert'); END;

PRAGMA user_version = 8;
