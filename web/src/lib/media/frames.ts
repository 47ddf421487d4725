/** The frames of a clip in time: for stepping by one, exactly, also where their rate changes. */
import { EncodedPacketSink, type Input } from "mediabunny";

import { extent, openInput } from "./probe";

/** What is assumed where frames can't be read. */
const USUAL_RATE = 30;

export class Frames {
  private constructor(
    private readonly input: Input | null,
    private readonly sink: EncodedPacketSink | null,
    /** Where the file begins to count, in seconds. */
    readonly begin: number,
    /** Length in seconds; none if it can't be read. */
    readonly length: number | null,
    /** Frames in a second, about. */
    readonly rate: number,
  ) {}

  static async of(file: Blob): Promise<Frames> {
    const input = openInput(file);
    try {
      const track = (await input.canRead()) ? await input.getPrimaryVideoTrack() : null;
      if (!track) throw new Error("no picture");
      const { averagePacketRate } = await track.computePacketStats(60);
      const rate = Number.isFinite(averagePacketRate) && averagePacketRate > 0 ? averagePacketRate : USUAL_RATE;
      const { begin, end } = await extent(input);
      return new Frames(input, new EncodedPacketSink(track), begin, end - begin, rate);
    } catch {
      input.dispose();
      return new Frames(null, null, 0, null, USUAL_RATE);
    }
  }

  /**
   * A time (seconds from the beginning) within the frame that comes `steps` frames after the one shown at `time`. Players show the frame in which a
   * time lies, so the middle is aimed at.
   */
  async step(time: number, steps: 1 | -1): Promise<number> {
    const sink = this.sink;
    if (!sink) return Math.max(0, time + steps / this.rate);
    const now = await sink.getPacket(time + this.begin, { metadataOnly: true });
    if (!now) return Math.max(0, time + steps / this.rate);
    const edge = steps > 0 ? now.timestamp + Math.max(now.duration, 0.001) + 1e-4 : now.timestamp - 1e-4;
    const next = edge < 0 ? now : ((await sink.getPacket(edge, { metadataOnly: true })) ?? now);
    // Not every container tells how long its frames last.
    const length = next.duration > 0 ? next.duration : 1 / this.rate;
    return Math.max(0, next.timestamp + length / 2 - this.begin);
  }

  dispose(): void {
    this.input?.dispose();
  }
}
