/** Finds what should be there only once. Knows nothing of what it is. */

/** An item that has the key of an earlier one. */
export interface Repeat<Item> {
  /** The later one. */
  item: Item;
  /** The first one. */
  first: Item;
}

/** The items whose key an earlier one has; those without a key are passed over. */
export function repeatsIn<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string | undefined,
): Repeat<Item>[] {
  const firsts = new Map<string, Item>();
  return items.flatMap((item) => {
    const key = keyOf(item);
    if (key === undefined) return [];
    const first = firsts.get(key);
    if (first !== undefined) return [{ item, first }];
    firsts.set(key, item);
    return [];
  });
}
