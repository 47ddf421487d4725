/** Whether a receipt is that of the offer which this device sent. Pure. */
import type { Receipt } from "$lib/format/receipt";
import type { OfferFile } from "$lib/seal/files";

/** What of the receipt is of another offer; none when it is ours. In English, for a report. */
export function receiptFault(
  receipt: Receipt,
  lookup: string,
  offer?: Pick<OfferFile, "destination" | "destination_digest" | "bytes" | "sha256">,
): string | null {
  if (receipt.lookup !== lookup) return "lookup: it is of another offer";
  if (!offer) return null;
  if (receipt.destination_id !== offer.destination) return "destination: it is of another request";
  if (receipt.destination_digest !== offer.destination_digest)
    return "destination: it is of another text of the request";
  if (receipt.ciphertext_len !== offer.bytes) return "envelope: it has another length";
  if (offer.sha256 && receipt.ciphertext_sha256 !== offer.sha256) return "envelope: it is another one";
  return null;
}
