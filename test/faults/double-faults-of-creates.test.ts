/** Every two system calls of the creates fail together. */
import { creations } from "./creations.js";
import { failInPairs } from "./double-faults.js";

failInPairs(creations);
