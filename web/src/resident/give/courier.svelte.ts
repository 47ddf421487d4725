/**
 * Sends sealed offers, and goes on while the person looks at other pages of this tab. A closed tab goes on at the next visit,
 * where `Unfinished.svelte` shows what waits.
 */
import { asProblem, Problem } from "$lib/problem";
import { type OfferSecret, parseOffer } from "$lib/seal/offer";
import { waitForReceipt } from "$lib/seal/status";
import { changeOffer, loadOffer, type OfferRecord, openSealed, removeSealed } from "$lib/seal/store";
import { upload } from "$lib/seal/upload";

import { Speed } from "./speed";
import { underway } from "./underway.svelte";

export type Phase =
  /** Nothing was begun in this tab. */
  | "idle"
  | "sending"
  /** The person paused it. */
  | "paused"
  /** The server has it whole; its receipt is not there yet. */
  | "sent"
  | "received"
  /** It stopped; `problem` says why. */
  | "stopped"
  /** The server took it in and refused it. */
  | "refused";

/** One offer on its way. */
export class Parcel {
  phase = $state<Phase>("idle");
  done = $state(0);
  total = $state(0);
  /** Bytes a second; none while nobody can tell. */
  speed = $state<number | null>(null);
  /** Without a connection, or the server is busy. */
  waiting = $state(false);
  problem = $state.raw<Problem | null>(null);
  /** Why the server refused it. */
  reason = $state<string | null>(null);
  record = $state.raw<OfferRecord>() as OfferRecord;
  private stop: AbortController | null = null;
  private readonly meter = new Speed();

  constructor(record: OfferRecord) {
    this.record = record;
    this.total = record.offer.bytes;
    this.phase = record.phase === "sealed" ? "idle" : record.phase;
    if (record.phase !== "sealed") this.done = this.total;
  }

  get secret(): OfferSecret {
    return parseOffer(this.record.offer.secret);
  }

  /** Seconds until all is sent; none while nobody can tell. */
  get left(): number | null {
    return this.speed ? (this.total - this.done) / this.speed : null;
  }

  get busy(): boolean {
    return this.phase === "sending";
  }

  /** Begins or goes on, and waits for the receipt. Failures are kept in `problem`. */
  async go(): Promise<void> {
    if (this.stop) return;
    const stop = new AbortController();
    this.stop = stop;
    this.problem = null;
    underway.add(this.record.lookup);
    try {
      if (this.record.phase === "sealed") await this.send(stop.signal);
      if (this.record.phase !== "received") await this.await(stop.signal);
    } catch (error) {
      if (stop.signal.aborted) this.phase = this.record.phase === "sealed" ? "paused" : "sent";
      else {
        this.phase = "stopped";
        this.problem = asProblem(error);
      }
    } finally {
      if (this.stop === stop) this.stop = null;
      underway.delete(this.record.lookup);
      this.waiting = false;
      this.speed = null;
    }
  }

  pause(): void {
    this.stop?.abort();
  }

  private async send(signal: AbortSignal): Promise<void> {
    this.phase = "sending";
    const file = this.record.sealed ? await openSealed(this.record.sealed) : null;
    if (!file) throw new Problem("common.seal.upload.gone");
    this.meter.reset();
    await upload({ file, bytes: this.total }, this.secret, this.record.offer.destination, {
      signal,
      invitation: this.record.invitation,
      onProgress: ({ done }) => {
        this.done = done;
        this.speed = this.meter.at(performance.now(), done);
      },
      onWaiting: (waiting) => {
        this.waiting = waiting;
        if (waiting) this.meter.reset();
      },
    });
    await this.reload();
    this.done = this.total;
    this.phase = "sent";
  }

  private async await(signal: AbortSignal): Promise<void> {
    this.phase = "sent";
    const status = await waitForReceipt(this.secret, signal);
    signal.throwIfAborted();
    if (status.state === "refused") {
      this.phase = "refused";
      this.reason = status.reason ?? null;
      return;
    }
    // The server has it and its word for it is here: the sealed copy on this device has done its work.
    const { sealed } = this.record;
    await changeOffer(this.record.lookup, {
      phase: "received",
      receipt: status.receipt as OfferRecord["receipt"],
      sealed: undefined,
    });
    if (sealed) await removeSealed(sealed);
    await this.reload();
    this.phase = "received";
  }

  private async reload(): Promise<void> {
    this.record = (await loadOffer(this.record.lookup)) ?? this.record;
  }
}

const parcels = new Map<string, Parcel>();

/** The one parcel of an offer in this tab. */
export function parcelOf(record: OfferRecord): Parcel {
  const known = parcels.get(record.lookup);
  if (known) return known;
  const parcel = new Parcel(record);
  parcels.set(record.lookup, parcel);
  return parcel;
}

/** Forgets a parcel in this tab, stopping it. */
export function dropParcel(lookup: string): void {
  parcels.get(lookup)?.pause();
  parcels.delete(lookup);
}
