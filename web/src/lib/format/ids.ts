/** Ids: three letters, `_`, and 26 characters of `a-z2-7` (128 random bits). */
const BODY = "[a-z2-7]{26}";

/** Whether a text is the id of a request. */
export const isRequestId = (text: string): boolean => new RegExp(`^req_${BODY}$`).test(text);
/** Whether a text is the id of a portal. */
export const isPortalId = (text: string): boolean => new RegExp(`^por_${BODY}$`).test(text);
/** Whether a text is the id of an agency. */
export const isAgencyId = (text: string): boolean => new RegExp(`^agy_${BODY}$`).test(text);
/** Whether a text names a region: an H3 cell of resolution 3. */
export const isRegion = (text: string): boolean => /^83[0-9a-f]{13}$/.test(text);

/** The first id of a request or portal in a text, such as a shared link; `null` when there is none. */
export function idIn(text: string): string | null {
  return new RegExp(`\\b(?:req|por)_${BODY}\\b`).exec(text)?.[0] ?? null;
}

/** The region that a shared link names in its path; `null` when it names none. */
export function regionIn(text: string): string | null {
  return /\/r\/(83[0-9a-f]{13})\b/.exec(text)?.[1] ?? null;
}
