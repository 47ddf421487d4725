// Shows a notice that was asked for, and opens the region when it is touched. It keeps nothing and fetches nothing.
self.addEventListener("push", (event) => {
  let notice = {};
  try {
    notice = event.data ? event.data.json() : {};
  } catch {
    // A notice that can't be read still has to be shown: browsers insist.
  }
  const region = /^83[0-9a-f]{13}$/.test(notice.region) ? notice.region : "";
  event.waitUntil(
    self.registration.showNotification(String(notice.title || "Canvass"), {
      body: String(notice.body || ""),
      tag: `canvass-${region}`,
      icon: "/icon.svg",
      data: { path: region ? `/r/${region}` : "/" },
    }),
  );
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const path = event.notification.data && event.notification.data.path ? event.notification.data.path : "/";
  event.waitUntil(self.clients.openWindow(path));
});
