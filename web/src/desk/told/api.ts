/** Calls about webhooks: addresses to which alerts are told. */
import type { Schemas } from "$lib/api/client";

import { call } from "../evidence/call";
import type { Part } from "../shell/resource.svelte";

export type WebhookView = Schemas["WebhookView"];
export type WebhookSecretShown = Schemas["WebhookSecretShown"];
export type NewWebhook = Schemas["NewWebhook"];
/** What became of a try. */
export type Attempt = { status: number } | "timed-out" | "unreachable" | "forbidden";
export type Message = Omit<Schemas["WebhookMessageView"], "result"> & { result?: Attempt | null };

export const EVENTS = ["alert.raised", "alert.compared"] as const;

/** The agency's webhooks, oldest first; to overseers all. */
export const webhooks = async (): Promise<WebhookView[]> =>
  (await call<{ items: WebhookView[] }>("GET", "/webhooks")).items;

/** Sets one up; its secret is shown this once. */
export const addWebhook = (wish: NewWebhook): Promise<WebhookSecretShown> => call("POST", "/webhooks", { body: wish });

/** Gives one a new secret, shown this once. */
export const rotateWebhook = (id: string): Promise<WebhookSecretShown> => call("POST", `/webhooks/${id}/rotate`);

/** Switches one on again. */
export const resumeWebhook = (id: string): Promise<WebhookView> => call("POST", `/webhooks/${id}/resume`);

/** Sends a message that tells of nothing. */
export const testWebhook = (id: string): Promise<Message> => call("POST", `/webhooks/${id}/test`);

/** Removes one. */
export const removeWebhook = (id: string): Promise<void> => call("DELETE", `/webhooks/${id}`);

/** A part of the messages to one, newest first. */
export const deliveries = (id: string, after?: number): Promise<Part<Message>> =>
  call("GET", `/webhooks/${id}/deliveries`, { query: { after, limit: 20 } });
