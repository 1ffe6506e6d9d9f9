// New users for each act, so that acts do not affect each other.
export const PASSWORD = "violet-teapot-harbour-93";
export const OTHER_PASSWORD = "orange-kettle-lagoon-58";

let count = 0;

export function newcomer(fields = {}) {
  count += 1;
  return { email: `person-${count}@example.com`, name: `Zoë ${count}`, password: PASSWORD, ...fields };
}
