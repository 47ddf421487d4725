/** What the server is able to do, where older ones lack it. */
import { session } from "../session/session.svelte";

/** Whether it takes copies of items and hands out bundles: a server that does says so among the member's rights. */
export function takesCopies(): boolean {
  return session.member?.rights?.includes("item.copy") ?? false;
}
