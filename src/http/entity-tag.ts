/**
 * Entity tags of bodies that a proxy coded anew (RFC 9110 §8.8.3). A strong tag vouches for the bytes, so
 * it is made weak, and marked: `"v1"` becomes `W/"v1~z"`. By the mark the tags of ours are known when a
 * client sends them back, among those that the origin made weak itself, and the origin gets to see its
 * own again, letter by letter: many compare them as text.
 */

const MARK = "~z";
const STRONG = /^"[\x21\x23-\x7e\x80-\xff]*"$/;
const WEAKENED = /W\/("[\x21\x23-\x7e\x80-\xff]*)~z"/g;

/** The tag for a body whose coding was changed; one that is weak already, or none, stays. */
export function weakenedTag(tag: string): string {
  return STRONG.test(tag) ? `W/${tag.slice(0, -1)}${MARK}"` : tag;
}

/** A list of tags (If-None-Match, If-Match) in which those that were weakened are as the origin gave them. */
export function restoredTags(list: string): string {
  return list.includes(MARK) ? list.replace(WEAKENED, '$1"') : list;
}

/** Whether the client of this If-None-Match holds the body of `tag` in a coding of ours. */
export function holdsWeakened(list: string | undefined, tag: string): boolean {
  return list !== undefined && STRONG.test(tag) && list.includes(weakenedTag(tag));
}
