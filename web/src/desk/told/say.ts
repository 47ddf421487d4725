/** Webhooks in words. */
import { t } from "$lib/i18n/index.svelte";

import type { Message, WebhookView } from "./api";

/** How a webhook stands: `on`, `failing` or `off`. */
export function standing({ off, failing }: Pick<WebhookView, "off" | "failing">): "on" | "failing" | "off" {
  if (off) return "off";
  return failing ? "failing" : "on";
}

/** What became of the last try of a message. */
export function resultText({ result }: Pick<Message, "result">): string {
  if (!result) return t("plates.hook.result.none");
  return typeof result === "object"
    ? t("plates.hook.result.status", { n: String(result.status) })
    : t(`plates.hook.result.${result}`);
}
