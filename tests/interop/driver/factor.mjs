// A person's second factor, as a browser and an authenticator use it.
import { totp } from "../app/totp.mjs";
import { cookies } from "./http.mjs";

const SESSION = "better-auth.session_token=";
const DEVICE = "better-auth.trust_device=";

/** Turns the factor on; answers its address for an authenticator, and the session that takes over. */
export async function enrol(app, token, password) {
  const { totpURI } = await app.must("POST", "/two-factor/enable", { token, body: { password } });
  const answer = await verify(app, { token, totpURI });
  const cookie = cookies(answer).find((line) => line.startsWith(SESSION));
  // The answer names the session that has ended.
  return { totpURI, cookie, token: cookie.slice(SESSION.length).split(".")[0] };
}

/** Signs in as far as the password does; `cookie` is a device's. */
export async function challenge(app, { email, password }, cookie) {
  const answer = await app.call("POST", "/sign-in/email", { body: { email, password }, cookie });
  return { ...answer, cookie: cookies(answer).join("; "), device: cookies(answer).find((line) => line.startsWith(DEVICE)) };
}

/** Answers a challenge, or confirms a new factor. */
export function verify(app, { totpURI, code = totp(totpURI), token, cookie, trustDevice }) {
  return app.call("POST", "/two-factor/verify-totp", { token, cookie, body: { code, trustDevice } });
}

/** The cookie of a device that signs in without the factor from now on. */
export async function trust(app, person, totpURI) {
  const { cookie } = await challenge(app, person);
  const answer = await verify(app, { totpURI, cookie, trustDevice: true });
  return cookies(answer).find((line) => line.startsWith(DEVICE));
}
