// Meets an error: what it says to programs (code, reason) and to people (message, hint).
import { createTap, FlintapError } from "flintap";

try {
  await createTap({ bridge: "nosuch0" });
} catch (error) {
  if (!(error instanceof FlintapError)) throw error;
  console.log(error.code, error.reason);
  console.log(error.message);
  console.log(error.hint);
}
