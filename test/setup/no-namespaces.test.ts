/** Stands in for the kernel and fault tests where no network namespace can be had. */
import { it } from "vitest";
import { namespaceObstacle } from "./namespace.js";

it("runs in a network namespace of its own", {
  skip: true,
  meta: { skipReason: namespaceObstacle() ?? "the namespace came only now" },
});
