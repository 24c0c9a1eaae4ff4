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

test("what is in a cell neither breaks its line nor reaches the terminal", () => {
  const [, row] = formatTable(["NAME", "X"], [["a\u001b[2J\nb\u202e", "x"]]).split("\n");
  expect(row).toBe("a\\u001b[2J\\u000ab\\u202e  x");
});

test("a table may have very many rows", () => {
  const rows = Array.from({ length: 200_000 }, (_, at) => [`${at}`]);
  expect(formatTable(["N"], rows).split("\n")).toHaveLength(200_001);
});
