INSERT INTO "auth"."users" ("id", "email") VALUES
	('u1', E'a\'@example.com'::text),
	(NULL, $x$b$x$);
