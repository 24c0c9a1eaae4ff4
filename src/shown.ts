/** Makes text that came from outside fit for a line of a message or a terminal. Pure. */

/**
 * The text with everything escaped that would break its line, or make a terminal do or show something
 * else: control and format characters (U+202E turns around what follows) and lone surrogates.
 */
export function shown(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, escapeUnits);
}

function escapeUnits(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`).join("");
}
