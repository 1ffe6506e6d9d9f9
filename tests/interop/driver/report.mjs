// One line per act and direction, and the count of those that differ. Variants run side by side, so each keeps its lines
// until it is done.

/** Thrown by an actor that has no such act, so that the line is left out instead of failing. */
export class Missing extends Error {}

const DIFFERS = "DIFFERS";

export class Report {
  lines = [];

  /** `run` may answer what to print instead of "same". */
  async line(variant, act, maker, seer, run) {
    try {
      this.add(variant, act, maker, seer, (await run()) ?? "same");
    } catch (error) {
      if (error instanceof Missing) return;
      this.add(variant, act, maker, seer, `${DIFFERS}: ${String(error.message).replaceAll(/\s+/g, " ").trim()}`);
    }
  }

  add(...cells) {
    this.lines.push(cells);
  }

  print(variant) {
    const widths = [18, 51, 8, 8, 0];
    for (const cells of this.lines.filter(([of]) => of === variant)) {
      console.log(cells.map((cell, index) => cell.padEnd(widths[index])).join("| "));
    }
  }

  differing() {
    return this.lines.filter((cells) => cells.at(-1).startsWith(DIFFERS));
  }
}
