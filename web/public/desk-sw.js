// Shows at the desk's browser that an alert waits for comparison, and opens the page of alerts. It keeps nothing, fetches
// nothing, and shows no plate: none is sent.
const ALERTS = "/desk/alerts?state=unconfirmed";

self.addEventListener("push", (event) => {
  let notice = {};
  try {
    notice = event.data ? event.data.json() : {};
  } catch {
    // A notice that can't be read still has to be shown: browsers insist.
  }
  event.waitUntil(
    self.registration.showNotification(String(notice.title || "Canvass"), {
      body: String(notice.body || ""),
      // A later one takes the place of this one, and is heard again.
      tag: "canvass-alerts",
      renotify: true,
      icon: "/icon.svg",
    }),
  );
});

async function open() {
  const pages = await self.clients.matchAll({ type: "window" });
  const page = pages.find((each) => new URL(each.url).pathname.startsWith("/desk"));
  if (!page) return self.clients.openWindow(ALERTS);
  const focused = await page.focus();
  return (focused || page).navigate(ALERTS);
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open());
});
