// A real Better Auth server on loopback, and the requests of its clients.
import { createServer } from "node:http";
import { toNodeHandler } from "better-auth/node";
import { ORIGIN } from "../app/auth.mjs";
import { newcomer } from "./people.mjs";

export class Served {
  failures = [];

  /** `pages` are what a browser gets beside the API, by path: type and text. */
  async serve(auth, pages = {}) {
    const handler = toNodeHandler(auth);
    const answer = (request, response) => handler(request, response).catch((error) => {
      this.failures.push(error);
      response.writeHead(500).end();
    });
    this.server = createServer((request, response) => {
      const [type, text] = pages[request.url] ?? [];
      if (text) response.setHeader("content-type", type).end(text);
      else answer(request, response);
    });
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.base = `http://127.0.0.1:${this.server.address().port}/api/auth`;
  }

  async stop() {
    await new Promise((resolve) => this.server.close(resolve).closeAllConnections());
    await this.close();
  }

  /** `form` is a body as OAuth clients send it; `key` is an API key. */
  async call(method, path, { body, form, token, cookie, key } = {}) {
    const headers = {
      origin: ORIGIN,
      ...(body && { "content-type": "application/json" }),
      ...(token && { authorization: `Bearer ${token}` }),
      ...(cookie && { cookie }),
      ...(key && { "x-api-key": key }),
    };
    const sent = form ? new URLSearchParams(form) : body && JSON.stringify(body);
    const response = await fetch(this.base + path, { method, headers, body: sent, redirect: "manual" });
    if (response.status >= 500) this.failures.push(`${method} ${path}: ${response.status}`);
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : null, headers: response.headers };
  }

  async must(method, path, options) {
    const { status, body } = await this.call(method, path, options);
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }

  /** A new user, with fields that no request sets, and a session. */
  async signUp(fields = {}) {
    const person = newcomer();
    const { token, user } = await this.must("POST", "/sign-up/email", { body: person });
    await this.context.internalAdapter.updateUser(user.id, fields);
    return { ...person, id: user.id, token };
  }
}

/** The cookies that an answer sets, as a browser sends them back. */
export const cookies = ({ headers }) => headers.getSetCookie().map((line) => line.split(";")[0]);
