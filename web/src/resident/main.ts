import "$lib/ui/base.css";

import { mount } from "svelte";

import { startTexts } from "$lib/i18n/index.svelte";
import { startRoutes } from "$lib/route.svelte";
import { startTrustedTypes } from "$lib/trusted";

import App from "./App.svelte";

startTrustedTypes();
await startTexts(["common", "look", "give", "ledger", "notify"]);
startRoutes();
const target = document.getElementById("app");
if (target) {
  // What was there to read without script makes room for the live page.
  target.replaceChildren();
  mount(App, { target });
}
