// One line per act and direction, and the count of those that differ.

/** Thrown by an actor that has no such act, so that the line is left out instead of failing. */
export class Missing extends Error {}

export class Report {
  lines = [];

  async line(variant, act, maker, seer, run) {
    try {
      await run();
      this.add(variant, act, maker, seer, "same");
    } catch (error) {
      if (error instanceof Missing) return;
      this.add(variant, act, maker, seer, `DIFFERS: ${String(error.message).replaceAll(/\s+/g, " ").trim()}`);
    }
  }

  add(...cells) {
    this.lines.push(cells);
    const [variant, act, maker, seer, result] = cells;
    console.log([variant.padEnd(13), act.padEnd(44), maker.padEnd(8), seer.padEnd(8), result].join("| "));
  }

  differing() {
    return this.lines.filter((cells) => cells.at(-1) !== "same");
  }
}
