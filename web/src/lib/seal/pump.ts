/** A stream of bytes from a page to its worker. Not every browser can hand a stream over, and none keeps a Problem whole. */
import { asProblem } from "../problem";

type Part = { parts: Uint8Array[] } | { end: true } | { failed: { text: string; remedy?: string } };

/** Gathered before it is handed on, in bytes. */
const PIECE = 512 * 1024;

/** A failure of the page's stream, as the worker sees it. */
export class SourceFailed extends Error {
  constructor(
    public readonly text: string,
    public readonly remedy?: string,
  ) {
    super(text);
  }
}

/** The page's half: hands the stream's bytes to the port whenever they are asked for. Gives the port for the worker. */
export function pumpTo(stream: ReadableStream<Uint8Array>): { port: MessagePort; stop: () => void } {
  const { port1, port2 } = new MessageChannel();
  const reader = stream.getReader();
  const say = (part: Part) =>
    port1.postMessage(part, "parts" in part ? part.parts.map((bytes) => bytes.buffer as ArrayBuffer) : []);
  port1.onmessage = async () => {
    try {
      const parts: Uint8Array[] = [];
      for (let gathered = 0; gathered < PIECE;) {
        const { done, value } = await reader.read();
        if (done) break;
        // A view into a larger buffer would take the rest of it along.
        parts.push(value.byteLength === value.buffer.byteLength ? value : value.slice());
        gathered += value.length;
      }
      say(parts.length > 0 ? { parts } : { end: true });
    } catch (error) {
      const { text, remedy } = asProblem(error);
      say({ failed: { text, remedy } });
    }
  };
  const stop = () => {
    port1.close();
    reader.cancel().catch(() => undefined);
  };
  return { port: port2, stop };
}

/** The worker's half. */
export function streamOf(port: MessagePort): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      return new Promise<void>((resolve) => {
        port.onmessage = ({ data }: MessageEvent<Part>) => {
          if ("parts" in data) for (const part of data.parts) controller.enqueue(part);
          else if ("end" in data) controller.close();
          else controller.error(new SourceFailed(data.failed.text, data.failed.remedy));
          resolve();
        };
        port.postMessage(null);
      });
    },
  });
}
