/** Gives a file to the member outside Canvass. What was saved is out of its reach. */
export function saveFile(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  // The browser reads it after the click; a minute is ample to begin.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
