// Deletes many devices; one that can't be deleted keeps no other from it.
import { createTap, deleteLinks, FlintapError } from "flintap";

const taps = await Promise.all([createTap(), createTap(), createTap()]);
for (const result of await deleteLinks([...taps, "lo"])) {
  if (result.deleted) console.log("deleted");
  else if (result.error instanceof FlintapError) console.log(result.error.reason);
}
