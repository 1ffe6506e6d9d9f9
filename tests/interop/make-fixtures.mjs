// Regenerates tests/fixtures/better-auth/*.sql: one database per variant, created by the real library, and the
// defective ones derived from them. `node make-fixtures.mjs [VARIANT...]`; without arguments all of them.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { openApp, SECRET } from "./app/auth.mjs";
import { variants } from "./app/variants.mjs";
import { drizzleDdl } from "./fixtures/drizzle-ddl.mjs";
import { dump } from "./fixtures/dump.mjs";
import { odd } from "./fixtures/odd.mjs";
import { passwords } from "./fixtures/passwords.mjs";
import { populate } from "./fixtures/populate.mjs";
import { prismaPush } from "./fixtures/prisma-ddl.mjs";

const target = new URL("../fixtures/better-auth/", import.meta.url);
const scratch = mkdtempSync(join(tmpdir(), "authctl-fixtures-"));

async function makeSchema(name, file) {
  const { made, schema, library = "better-auth" } = variants[name];
  if (made === "prisma") return prismaPush(file);
  if (made === "drizzle") {
    const db = new Database(file);
    for (const statement of await drizzleDdl(schema)) db.exec(statement);
    return db.close();
  }
  const app = await openApp(name, file);
  const { getMigrations } = await import(`${library}/db/migration`);
  await (await getMigrations(app.auth.options)).runMigrations();
  return app.close();
}

async function make(name) {
  const file = join(scratch, `${name}.db`);
  await makeSchema(name, file);
  const app = await openApp(name, file, { passwords });
  await populate(app, variants[name]);
  await app.close();
  const { library = "better-auth", made, plugins } = variants[name];
  const version = library === "better-auth" ? "1.7.25" : library.split("-").at(-1);
  const using = plugins.length > 0 ? `, plugins: ${plugins.join(", ")}` : "";
  write(name, file, [`Made by tests/interop/make-fixtures.mjs with Better Auth ${version} through ${made}${using}.`, `secret: ${SECRET}`]);
  return file;
}

function write(name, file, heading) {
  const db = new Database(file, { readonly: true });
  writeFileSync(new URL(`${name}.sql`, target), dump(db, heading));
  db.close();
  console.log(name);
}

function derive(name) {
  const { from, sql, why } = odd[name];
  const file = join(scratch, `${name}.db`);
  const db = new Database(file);
  db.exec(readFileSync(new URL(`${from}.sql`, target), "utf8"));
  db.exec(sql);
  db.close();
  write(name, file, [`Derived from ${from}.sql: ${why}.`]);
}

mkdirSync(target, { recursive: true });
const wanted = process.argv.length > 2 ? process.argv.slice(2) : [...Object.keys(variants).filter((name) => !variants[name].rowsOf), ...Object.keys(odd)];
for (const name of wanted) name in variants ? await make(name) : derive(name);
rmSync(scratch, { recursive: true });
