-- Finds the newest act that was intended, however many entries follow it. Only databases of guests have such
-- entries, so that the index is empty in all others. It takes the place of an index that no statement used: the
-- whole schema stays on the first page of the file, as V006 says.

DROP INDEX "authctl_audit_userId_idx";

CREATE INDEX "authctl_audit_intended" ON "authctl_audit" ("seq") WHERE "event" = 'act.intended';

PRAGMA user_version = 7;
