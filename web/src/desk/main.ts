import "$lib/ui/base.css";
import "./shell/desk.css";

import { mount } from "svelte";

import { startTexts } from "$lib/i18n/index.svelte";
import { startRoutes } from "$lib/route.svelte";
import { startTrustedTypes } from "$lib/trusted";

import App from "./App.svelte";
import { startSession } from "./session/session.svelte";

startTrustedTypes();
await startTexts(["common", "look", "ledger", "desk", "evidence"]);
startRoutes();
void startSession();
const target = document.getElementById("app");
if (target) {
  target.replaceChildren();
  mount(App, { target });
}
