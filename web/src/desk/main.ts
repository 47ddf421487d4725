import "$lib/ui/base.css";
import "./shell/desk.css";

import { mount } from "svelte";

import { startTexts } from "$lib/i18n/index.svelte";
import { startRoutes } from "$lib/route.svelte";
import { startTrustedTypes } from "$lib/trusted";

import App from "./App.svelte";
import { startSession } from "./session/session.svelte";

startTrustedTypes();
// Signing in needs these; the pages' own come with the first of them.
await startTexts(["common", "desk"]);
startRoutes();
void startSession();
const target = document.getElementById("app");
if (target) {
  target.replaceChildren();
  mount(App, { target });
}
