/** Cameras and plate readers at the desk. On the executable's own server and pages. */
import { enter } from "./desk-steps";
import { expect, look, test } from "./fixtures";

test("an administrator registers a camera, gives its machine a token, changes and retires it", async ({
  page,
  town,
}) => {
  const name = `Elm Street ${Date.now()}`;
  await enter(page, town, "ada", "/desk/cameras", "Cameras");
  await page.getByRole("button", { name: "Register a camera" }).first().click();
  const form = page.getByRole("dialog", { name: "Register a camera" });
  await form.getByRole("button", { name: "Register a camera" }).click();
  await expect(form.getByText("Write a name of 2 to 80 characters.")).toBeVisible();
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Place", { exact: true }).fill("somewhere");
  await form.getByRole("button", { name: "Register a camera" }).click();
  await expect(form.getByText("Type latitude and longitude in degrees")).toBeVisible();
  await form.getByLabel("Place", { exact: true }).fill("43.20810, -71.53760");
  await form.getByLabel("Direction or lane").fill("eastbound");
  await look(page, "desk-camera-new", ["desk", "phone"]);
  await form.getByRole("button", { name: "Register a camera" }).click();
  await expect(page.getByText(`${name} is registered.`)).toBeVisible();
  const row = page.getByRole("listitem").filter({ hasText: name });
  await expect(row.getByText("eastbound")).toBeVisible();
  await expect(row.getByText("Reads plates")).toBeVisible();

  await row.getByRole("button", { name: "Token for its machine" }).click();
  const token = page.getByRole("dialog", { name: `Token for ${name}` });
  await token.getByLabel("Who answers for the machine").selectOption({ index: 1 });
  await token.getByRole("button", { name: "Issue the token" }).click();
  await expect(page.getByText("it is shown this once")).toBeVisible();
  await expect(page.locator(".secret")).toHaveText(/^cvt_/);
  await look(page, "desk-cameras", ["desk", "phone"]);

  await row.getByRole("button", { name: "Change" }).click();
  const change = page.getByRole("dialog", { name: "Change" });
  await change.getByLabel("Direction or lane").fill("westbound");
  await change.getByRole("button", { name: "Save" }).click();
  await expect(row.getByText("westbound")).toBeVisible();

  await row.getByRole("button", { name: "Retire" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Retire" }).click();
  await expect(page.getByText(`${name} is retired.`)).toBeVisible();
  await expect(row.getByText(/^Retired/)).toBeVisible();
  await expect(row.getByRole("button")).toHaveCount(0);
});

test("one of several cameras is offered to another agency by name", async ({ page, town }) => {
  const name = `Depot gate ${Date.now()}`;
  await enter(page, town, "sol", "/desk/cameras", "Cameras");
  await page.getByRole("button", { name: "Register a camera" }).first().click();
  const form = page.getByRole("dialog", { name: "Register a camera" });
  await form.getByLabel("Name").fill(name);
  await form.getByLabel("Place", { exact: true }).fill("43.21, -71.54");
  await form.getByRole("button", { name: "Register a camera" }).click();
  await expect(page.getByText(`${name} is registered.`)).toBeVisible();
  await page.goto(`${town.desk}/desk/sharing`);
  await page.getByRole("button", { name: "Offer to share" }).click();
  const offer = page.getByRole("dialog", { name: "Offer to share" });
  await offer.getByLabel("What", { exact: true }).selectOption({ label: "Some cameras" });
  await offer.getByLabel("Agencies by name").fill(town.agencies.city);
  await offer.getByLabel("Last day").fill(new Date(Date.now() + 9 * 86_400_000).toISOString().slice(0, 10));
  await offer.getByLabel("Reason").fill("Both agencies look for the same stolen vans.");
  await offer.getByRole("button", { name: "Propose" }).click();
  await expect(offer.getByText("Choose at least one camera.")).toBeVisible();
  await offer.getByLabel(name).check();
  // Not sent: other tests count what waits for approval in the town that all of them share.
  await expect(offer.getByLabel(name)).toBeChecked();
});
