/**
 * The codes that errors and warnings have beside errnos' names, and what each means; for docs/errors.md,
 * whose script reads this file without building the package, so it imports nothing.
 */

/** The codes that are the library's own, and what they have in common. */
export const libraryCodes = {
  ERR_FLINTAP_REFUSED: "The library refused by itself, and changed nothing.",
  ERR_FLINTAP_IGNORED: "The kernel took a request and left a part of it out.",
  ERR_FLINTAP_UNKNOWN_OUTCOME: "The request ran, and the kernel's answer to it was lost.",
  ERR_FLINTAP_ABORTED: "The call was given up in the middle, and not everything could be undone.",
  ERR_FLINTAP_CLOSED: "The handle was closed before the call.",
  ERR_FLINTAP_PLATFORM: "This is not Linux.",
  ERR_FLINTAP_ADDON: "The native addon is not there or cannot be loaded.",
} as const;

/** The codes of what a call was given, thrown before anything is sent. */
export const argumentCodes = {
  ERR_INVALID_ARG_TYPE: "TypeError: an argument or option has the wrong type.",
  ERR_INVALID_ARG_VALUE:
    "TypeError: a value cannot be, an option does not exist, or it does not go with the others.",
  ERR_OUT_OF_RANGE: "RangeError: a number is outside the range it may have.",
  ERR_INVALID_DOCUMENT:
    "InvalidDocumentError of flintap/flintlock: a config or spec has faults; `issues` has all of them.",
} as const;

/** The code of a wrong argument or document. */
export type ArgumentCode = keyof typeof argumentCodes;

/** The codes of process warnings. */
export const warningCodes = {
  FLINTAP_QUEUE_NOT_CLOSED:
    "A queue was collected without having been closed; it is closed then, at a time nobody chose.",
  FLINTAP_DESCRIPTOR_NOT_CLOSED:
    "The same for a descriptor that came by a socket, or is one end of a pair.",
} as const;

/** The code of a process warning. */
export type WarningCode = keyof typeof warningCodes;
