/** Runs one job in a worker. */
import { Problem } from "../problem";
import type { Job, Outcome, Word } from "./job";
import type { Progress } from "./types";

/** Gives a worker its job, waits for what comes of it, and ends it, also when the signal aborts. */
export function answerOf<T extends Outcome>(
  worker: Worker,
  job: Job,
  onProgress?: (progress: Progress) => void,
  signal?: AbortSignal,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const settle = (finish: () => void) => {
      signal?.removeEventListener("abort", stop);
      worker.terminate();
      finish();
    };
    const stop = () => settle(() => reject(signal?.reason as Error));
    signal?.addEventListener("abort", stop, { once: true });
    worker.onmessage = ({ data }: MessageEvent<Word>) => {
      if ("progress" in data) onProgress?.(data.progress);
      else if ("done" in data) settle(() => resolve(data.done as T));
      else settle(() => reject(new Problem(data.failed.text, data.failed.remedy)));
    };
    worker.onerror = (event) => settle(() => reject(new Problem("common.problem.unknown", event.message)));
    worker.onmessageerror = () => settle(() => reject(new Problem("common.problem.unknown")));
    worker.postMessage(job, "source" in job ? [job.source] : []);
  });
}
