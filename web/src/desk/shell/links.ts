/** Where the things that records name can be looked at. */

/** The right that opens the page of each kind of id, and the page. */
const PAGES: Readonly<Record<string, readonly [right: string, path: string]>> = {
  req: ["request.read", "/desk/requests/"],
  off: ["offer.list", "/desk/inbox/"],
  cas: ["case.read", "/desk/cases/"],
  itm: ["item.list", "/desk/items/"],
  mbr: ["member.list", "/desk/people/"],
  htl: ["hotlist.read", "/desk/hotlists/"],
  fnd: ["finding.read", "/desk/findings/"],
};

/** Whether a text is the id of something. */
export const isId = (text: string): boolean => /^[a-z]{3}_[a-z2-7]{26}$/.test(text);

/** The page of the thing with this id, for those who may open it; none for other texts, such as a plate. */
export function linkTo(id: string, may: (action: string) => boolean): string | null {
  if (!isId(id)) return null;
  const kind = id.slice(0, 3);
  const page = Object.hasOwn(PAGES, kind) ? PAGES[kind] : undefined;
  return page && may(page[0]) ? `${page[1]}${id}` : null;
}
