/** Order: one way to sort, by code units, so that the same inputs give the same bytes on every machine. */
import { type SlotName, slotIndex } from '../../schemas/names.ts';

/** Compares two strings by code units. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Sorted copy, by the text that `key` gives. */
export function sortedBy<T>(values: Iterable<T>, key: (value: T) => string): T[] {
  return [...values].toSorted((a, b) => byText(key(a), key(b)));
}

/** Order of slots: by service, then by index as a number. */
export function bySlot(
  a: { readonly service: string; readonly slot: SlotName },
  b: { readonly service: string; readonly slot: SlotName },
): number {
  return byText(a.service, b.service) || slotIndex(a.slot) - slotIndex(b.slot);
}

/** Values by the key that `key` gives, each list in the order of the input. */
export function groupBy<T>(values: Iterable<T>, key: (value: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const list = groups.get(key(value));
    if (list === undefined) groups.set(key(value), [value]);
    else list.push(value);
  }
  return groups;
}
