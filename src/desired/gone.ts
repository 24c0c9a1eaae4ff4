/** Telling what is gone, or taken, from every other failure: an error is never "no". */
import { FlintapError } from "../error.js";

/** Whether an error says that there is no such link. */
export function isGone(error: unknown): boolean {
  return error instanceof FlintapError && error.reason === "no-such-link";
}

/** Whether a device could not be made since another link has one of its names. */
export function isTaken(error: unknown): error is FlintapError {
  return (
    error instanceof FlintapError &&
    (error.reason === "name-taken" || error.reason === "alt-name-taken")
  );
}
