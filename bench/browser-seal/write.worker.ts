// How fast the private file system takes what a sealing worker writes: pieces of a batch, in order.
self.onmessage = async ({ data: bytes }: MessageEvent<number>) => {
  const folder = await navigator.storage.getDirectory();
  const handle = await (await folder.getFileHandle("measured", { create: true })).createSyncAccessHandle();
  const piece = new Uint8Array(1024 * 1024);
  const start = performance.now();
  for (let at = 0; at < bytes; at += piece.length) handle.write(piece, { at });
  handle.flush();
  const took = performance.now() - start;
  handle.close();
  await folder.removeEntry("measured");
  self.postMessage(took);
};
