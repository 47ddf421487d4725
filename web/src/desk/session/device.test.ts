import { expect, test } from "vitest";

import { base64url, deviceName } from "./device";

test("bytes are base64url without padding", () => {
  expect(base64url(new Uint8Array([0xfb, 0xff, 0xfe, 0x01]).buffer)).toBe("-__-AQ");
});

test("a device is called by browser and system", () => {
  const chrome =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/148.0.0.0 Safari/537.36";
  expect(deviceName(chrome)).toBe("Chrome, Linux");
  expect(deviceName("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0")).toBe(
    "Firefox, macOS",
  );
  const phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_4 like Mac OS X) AppleWebKit/605.1.15 Version/18.4 Safari/604.1";
  expect(deviceName(phone)).toBe("Safari, iOS");
  expect(deviceName("curl/8")).toBe("Browser, Linux");
});
