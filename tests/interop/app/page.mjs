// The pages of the article's app in one: a form to sign up, one to sign in, and a button to sign out, on the library's own
// client. It runs in the browser.
import { createAuthClient } from "better-auth/client";

const client = createAuthClient();
const form = (id) => document.getElementById(id);
const show = (id, text) => (document.getElementById(id).textContent = text);

/** Shows who is signed in, and the answer to the last act. */
async function refresh(error) {
  const { data } = await client.getSession();
  show("state", data ? `signed in as ${data.user.name}` : "signed out");
  show("answer", error?.message ?? "");
  document.body.dataset.acts = Number(document.body.dataset.acts ?? 0) + 1;
}

for (const [id, act] of Object.entries({
  "sign-up": (fields) => client.signUp.email(fields),
  "sign-in": (fields) => client.signIn.email(fields),
  "sign-out": () => client.signOut(),
})) {
  form(id).addEventListener("submit", async (event) => {
    event.preventDefault();
    const { error } = await act(Object.fromEntries(new FormData(event.target)));
    await refresh(error);
  });
}
await refresh();
