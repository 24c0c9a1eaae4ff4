/** What everything in this folder that asks the kernel works with. */
import type { NetworkNamespace } from "../network-namespace.js";

/** Where to look and work, and until when. */
export interface Looking {
  /** The namespace, and whose devices they are. */
  namespace: NetworkNamespace;
  /** Gives it up. */
  signal?: AbortSignal;
}
