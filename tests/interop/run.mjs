// authctl and a real Better Auth app on the same file, act by act, in both directions; `app` with `app` is the control
// that shows the act itself to be right. `node run.mjs [--app-only] [VARIANT...]`, the binary in AUTHCTL.
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { runAccess } from "./acts/access.mjs";
import { browsers, runBrowser } from "./acts/browser.mjs";
import { conversions, runConversion } from "./acts/conversion.mjs";
import { fixture } from "./acts/fixture.mjs";
import { foreignHashes } from "./acts/foreign-hashes.mjs";
import { organizations } from "./acts/organizations.mjs";
import { passwords, twoFactor } from "./acts/passwords.mjs";
import { records, rows } from "./acts/records.mjs";
import { secondFactors } from "./acts/second-factor.mjs";
import { elsewhere, unreached } from "./acts/secondary-storage.mjs";
import { authctlOnly, oneSided, sessions } from "./acts/sessions.mjs";
import { afterwards, counts, together } from "./acts/together.mjs";
import { tokens } from "./acts/tokens.mjs";
import { admin, users } from "./acts/users.mjs";
import { shapes } from "./app/all-plugins.mjs";
import { variants } from "./app/variants.mjs";
import { App } from "./driver/app.mjs";
import { Authctl } from "./driver/authctl.mjs";
import { FileDatabase } from "./driver/file.mjs";
import { Report } from "./driver/report.mjs";
import { Server, ServerDatabase, blocker } from "./driver/server.mjs";

const { values: options, positionals } = parseArgs({ allowPositionals: true, options: { "app-only": { type: "boolean" } } });
const binary = options["app-only"] ? null : findBinary();
const all = binary ? Object.keys({ ...variants, ...shapes, ...browsers, ...conversions }) : Object.keys(variants).filter((name) => !variants[name].init);
const wanted = positionals.length > 0 ? positionals : all;
const scratch = mkdtempSync(join(tmpdir(), "authctl-interop-"));
const report = new Report();

function findBinary() {
  const built = ["release", "debug"].map((profile) => fileURLToPath(new URL(`../../target/${profile}/authctl`, import.meta.url)));
  const age = (path) => statSync(path).mtimeMs;
  const found = process.env.AUTHCTL ?? built.filter((path) => existsSync(path)).sort((a, b) => age(b) - age(a))[0];
  if (!found) throw new Error("no authctl: build it, or name it in AUTHCTL");
  return found;
}

async function runVariant(variant) {
  const place = join(scratch, variant, "data");
  mkdirSync(place, { recursive: true });
  const { hints, options, server: isOnServer } = variants[variant];
  const database = isOnServer
    ? await ServerDatabase.lay(variant, await server, variants[variant])
    : new FileDatabase(variant, join(place, "app.db"), variants[variant], binary);
  const app = await App.start(variant, database.place);
  const authctl = binary && new Authctl(binary, database.address, join(scratch, variant, "home"), hints);
  const world = { app, authctl, database, hints, before: database.fingerprint() };
  const lines = options?.secondaryStorage ? linesWithoutSessions(world) : linesOf(world, variants[variant]);
  for (const [act, maker, seer, run] of lines) await report.line(variant, act, maker, seer, run);
  await app.stop();
  report.print(variant);
}

/** All acts with those who make and see them. */
function* linesOf(world, { hashes }) {
  const { app, authctl } = world;
  const has = (plugin) => app.plugins.includes(plugin);
  const either = authctl ? [app, authctl] : [app];
  for (const [act, run] of Object.entries(fixture)) {
    for (const seer of either) yield [act, "fixture", seer.who, () => run(seer, world)];
  }
  const pairs = authctl ? [[app, app], [app, authctl], [authctl, app]] : [[app, app]];
  const acts = { ...passwords, ...sessions, ...users, ...(has("admin") && admin), ...(has("twoFactor") && twoFactor) };
  for (const [act, run] of Object.entries(acts)) {
    for (const [maker, seer] of pairs) yield [act, maker.who, seer.who, () => run(maker, seer, world)];
  }
  for (const [act, run] of Object.entries(oneSided)) {
    for (const maker of either) yield [act, maker.who, "app", () => run(maker, app)];
  }
  if (!authctl) return;
  for (const [act, run] of Object.entries(authctlOnly)) yield [act, "authctl", "app", () => run(authctl, app)];
  const ofPlugins = { ...(has("twoFactor") && secondFactors), ...(has("organization") && organizations), ...(has("apiKey") && tokens) };
  for (const [act, run] of Object.entries(ofPlugins)) yield [act, "authctl", "app", () => run(world)];
  for (const [act, run] of Object.entries(records)) {
    for (const maker of either) yield [act, maker.who, "both", () => run(maker, world)];
  }
  const joint = { ...rows, ...(hashes === "foreign" && foreignHashes), ...together, ...counts, ...afterwards };
  for (const [act, run] of Object.entries(joint)) yield [act, "both", "both", () => run(world)];
}

function* linesWithoutSessions(world) {
  const { app, authctl } = world;
  if (!authctl) return;
  for (const [act, run] of Object.entries(elsewhere)) {
    for (const maker of [app, authctl]) yield [act, maker.who, "both", () => run(maker, world)];
  }
  for (const [act, run] of Object.entries(unreached)) yield [act, "authctl", "app", () => run(world)];
  for (const [act, run] of Object.entries(afterwards)) yield [act, "both", "both", () => run(world)];
}

/** Acts on an app of their own: with every plugin, with a page, or on a native database. */
async function runApart(name) {
  const place = join(scratch, name);
  mkdirSync(place, { recursive: true });
  const line = (act, maker, seer, run) => report.line(name, act, maker, seer, run);
  if (name in shapes) await runAccess(binary, place, shapes[name], line);
  else if (name in conversions) await runConversion(binary, place, conversions[name], line);
  else await runBrowser(binary, place, browsers[name], line);
  report.print(name);
}

/** Two at a time on two cores: the waiting is for hashes, and those are not computed in Node's own thread. */
async function runAll(waiting) {
  const lane = async () => {
    while (waiting.length > 0) {
      const name = waiting.shift();
      await (name in variants ? runVariant(name) : runApart(name));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, lane));
}

const needsServer = wanted.some((name) => variants[name]?.server);
if (needsServer && blocker()) {
  console.error(`interop: not run, because ${blocker()}`);
  process.exit(77);
}
let server = null;

try {
  // The apps on the server are in another time zone, which holds for the whole process from then on.
  await runAll(wanted.filter((name) => !variants[name]?.server));
  server = needsServer ? Server.start() : null;
  await runAll(wanted.filter((name) => variants[name]?.server));
} finally {
  await (await server)?.stop();
  rmSync(scratch, { recursive: true });
}
const differing = report.differing();
console.log(`\n${report.lines.length - differing.length} passed, ${differing.length} failed`);
process.exit(differing.length > 0 ? 1 : 0);
