/** The few forms of Markdown that a text of policy needs: headings, lists, paragraphs. All of it stays text, never markup. */

export type Block =
  { kind: "heading"; text: string } | { kind: "list"; items: string[] } | { kind: "paragraph"; text: string };

/** Emphasis and links as plain words: `**kept**` is kept, `[law](https://…)` is law (https://…). */
function plain(text: string): string {
  return text
    .replaceAll(/\[([^\]]*)\]\(([^)\s]*)\)/g, "$1 ($2)")
    .replaceAll(/(\*\*|__|`)(.+?)\1/g, "$2")
    .trim();
}

/** The blocks of a text, in order. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | null = null;
  for (const line of markdown.split("\n")) {
    const heading = /^#{1,6}\s+(.*)$/.exec(line)?.[1];
    const item = /^\s*(?:[-*+]|\d+[.)])\s+(.*)$/.exec(line)?.[1];
    if (heading !== undefined) {
      blocks.push({ kind: "heading", text: plain(heading) });
      open = null;
    } else if (item !== undefined) {
      if (open?.kind !== "list") blocks.push((open = { kind: "list", items: [] }));
      open.items.push(plain(item));
    } else if (line.trim() === "") {
      open = null;
    } else if (open?.kind === "list") {
      open.items.push(`${open.items.pop() ?? ""} ${plain(line)}`.trim());
    } else if (open?.kind === "paragraph") {
      open.text = `${open.text} ${plain(line)}`;
    } else {
      blocks.push((open = { kind: "paragraph", text: plain(line) }));
    }
  }
  return blocks;
}
