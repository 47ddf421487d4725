import "$lib/ui/base.css";

import { mount } from "svelte";

import { startTexts } from "$lib/i18n/index.svelte";
import { route, startRoutes } from "$lib/route.svelte";
import { startTrustedTypes } from "$lib/trusted";

import App from "./App.svelte";
import { pageFor } from "./pages";

startTrustedTypes();
// The page and its texts come at the same time. What fails here is told when the page is shown.
const first = pageFor(route.path, route.fragment);
first.load().catch(() => undefined);
await startTexts(["common", ...first.texts]);
startRoutes();
const target = document.getElementById("app");
if (target) {
  // What was there to read without script makes room for the live page.
  target.replaceChildren();
  // It may have been scrolled to the request that the fragment names; the live page begins at its top.
  scrollTo(0, 0);
  mount(App, { target });
}
