// A visitor of the app's page: in Debian's Chromium where it is installed, else the library's client with a cookie jar.
// Both answer what the page says: who is signed in, and why an act was refused.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createAuthClient } from "better-auth/client";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
const beside = (name) => fileURLToPath(new URL(`../app/${name}`, import.meta.url));

/** The page and its script, by path. */
export async function pages() {
  const { outputFiles } = await build({ entryPoints: [beside("page.mjs")], bundle: true, format: "esm", write: false });
  return {
    "/": ["text/html", readFileSync(beside("page.html"))],
    "/page.js": ["text/javascript", outputFiles[0].contents],
  };
}

export const openVisitor = (url) => (CHROMIUM ? Browser.open(url) : new Client(url));

class Browser {
  who = "browser";

  static async open(url) {
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    const page = await browser.newPage();
    const failures = [];
    page.on("pageerror", (error) => failures.push(error.message));
    return Object.assign(new Browser(), { browser, page, url, failures });
  }

  close = () => this.browser.close();

  /** Opens the page anew, as after a reload. */
  async look() {
    await this.page.goto(this.url);
    return this.read(1);
  }

  signUp = (person) => this.submit("sign-up", person);
  signIn = ({ email, password }) => this.submit("sign-in", { email, password });
  signOut = () => this.submit("sign-out", {});

  async submit(form, fields) {
    const acts = Number(await this.page.getAttribute("body", "data-acts"));
    for (const [name, value] of Object.entries(fields)) await this.page.fill(`#${form} [name=${name}]`, value);
    await this.page.click(`#${form} button`);
    return this.read(acts + 1);
  }

  async read(acts) {
    await this.page.waitForSelector(`body[data-acts="${acts}"]`);
    const [state, answer] = await Promise.all(["#state", "#answer"].map((id) => this.page.textContent(id)));
    return answer ? `${state}: ${answer}` : state;
  }
}

class Client {
  who = "client";
  failures = [];
  jar = new Map();

  constructor(url) {
    const customFetchImpl = async (address, init) => {
      const headers = new Headers(init.headers);
      headers.set("origin", new URL(url).origin);
      headers.set("cookie", [...this.jar].map((cookie) => cookie.join("=")).join("; "));
      const response = await fetch(address, { ...init, headers });
      for (const line of response.headers.getSetCookie()) {
        const [name, value] = line.split(";")[0].split("=");
        value ? this.jar.set(name, value) : this.jar.delete(name);
      }
      return response;
    };
    this.client = createAuthClient({ baseURL: url, fetchOptions: { customFetchImpl } });
  }

  close = async () => {};
  look = () => this.read({});
  signUp = async (person) => this.read(await this.client.signUp.email(person));
  signIn = async ({ email, password }) => this.read(await this.client.signIn.email({ email, password }));
  signOut = async () => this.read(await this.client.signOut());

  async read({ error }) {
    const { data } = await this.client.getSession();
    const state = data ? `signed in as ${data.user.name}` : "signed out";
    return error ? `${state}: ${error.message}` : state;
  }
}
