/** `j` and `k` walk through the links of a list, as in a mail program; Enter follows the one that has the focus. */
import type { Attachment } from "svelte/attachments";

export const listKeys: Attachment<HTMLElement> = (list) => {
  function walk(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || (event.key !== "j" && event.key !== "k")) return;
    const target = event.target as HTMLElement | null;
    if (target?.closest("input, textarea, select, dialog, [contenteditable]")) return;
    const links = [...list.querySelectorAll<HTMLElement>("[data-row]")];
    const at = links.indexOf(document.activeElement as HTMLElement);
    const next = event.key === "j" ? Math.min(links.length - 1, at + 1) : Math.max(0, at - 1);
    links[next]?.focus();
    if (links[next]) event.preventDefault();
  }
  document.addEventListener("keydown", walk);
  return () => document.removeEventListener("keydown", walk);
};
