import { expect, test } from "vitest";
import { formatTable } from "../../../src/cli/table.js";

test("a table's columns are as wide as their longest cell, and no line ends in blanks", () => {
  const rows = [
    ["eth1", "macvtap", "7"],
    ["a longer one", "tap", ""],
  ];
  expect(formatTable(["NAME", "TYPE", "INDEX"], rows)).toBe(
    ["NAME          TYPE     INDEX", "eth1          macvtap  7", "a longer one  tap"].join("\n"),
  );
});
