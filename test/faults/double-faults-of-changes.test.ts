/** Every two system calls of the changes fail together. */
import { changes } from "./changes.js";
import { failInPairs } from "./double-faults.js";

failInPairs(changes);
