// The app that uses Prisma 7. Its client is normally written by `prisma generate`, which wants an engine that no package
// ships; what that generator writes for prisma/schema.prisma is data, so the data is kept in prisma/client.json
// (generator `prisma-client` 7.10.0) and the runtime that Prisma publishes does the rest.
import { readFileSync } from "node:fs";
import { PrismaBetterSqlite3 } from "@prisma/adapter-better-sqlite3";
import { PrismaPg } from "@prisma/adapter-pg";
import runtime from "@prisma/client/runtime/client";

const beside = (name) => new URL(`../prisma/${name}`, import.meta.url);

export const prismaSchema = readFileSync(beside("schema.prisma"), "utf8");

const clientFor = (provider) =>
  runtime.getPrismaClient({
    ...JSON.parse(readFileSync(beside("client.json"), "utf8")),
    previewFeatures: [],
    clientVersion: "7.10.0",
    engineVersion: "7.10.0",
    activeProvider: provider,
    inlineSchema: prismaSchema.replace('provider = "sqlite"', `provider = "${provider}"`),
    compilerWasm: {
      getRuntime: () => import(`@prisma/client/runtime/query_compiler_fast_bg.${provider}.mjs`),
      getQueryCompilerWasmModule: async () => {
        const { wasm } = await import(`@prisma/client/runtime/query_compiler_fast_bg.${provider}.wasm-base64.mjs`);
        return new WebAssembly.Module(Buffer.from(wasm, "base64"));
      },
      importName: "./query_compiler_fast_bg.js",
    },
  });

const PrismaClient = clientFor("sqlite");
const PrismaClientOnServer = clientFor("postgresql");

/** `timestampFormat` is the adapter's: "iso8601" (its default) or "unixepoch-ms". */
export function prismaDriver(file, timestampFormat) {
  return new PrismaBetterSqlite3({ url: `file:${file}` }, { timestampFormat });
}

export function prismaClient(file, timestampFormat) {
  return new PrismaClient({ adapter: prismaDriver(file, timestampFormat) });
}

export function prismaClientOnServer(place) {
  return new PrismaClientOnServer({ adapter: new PrismaPg(place) });
}
