/** The handle among what a call is given that is built on the handle's own calls. */
import { argumentError, type Check } from "./check.js";
import { NetworkNamespace } from "./network-namespace.js";

/** A handle. */
export const handle: Check<NetworkNamespace> = (value, place) => {
  if (value instanceof NetworkNamespace) return value;
  throw argumentError("ERR_INVALID_ARG_TYPE", "a NetworkNamespace", place, value);
};
