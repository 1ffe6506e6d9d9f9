// The users of every fixture. `fixtures/populate.mjs` creates their rows.
export const PEOPLE = {
  ada: { email: "ada@example.com", name: "Ada Lovelace", password: "correct horse battery staple" },
  bob: { email: "bob@example.com", name: "Bob", password: "ﬁnger-Ångström-9" },
  emo: { email: "emo@example.com", name: "Emo 😀", password: "😀😀😀😀" },
  mallory: { email: "mallory@example.com", name: "Mallory", password: "mallory-was-here-1" },
};
