/** Changes that take two people, and sharing between agencies. On the executable's own server and pages. */
import { enter } from "./desk-steps";
import { expect, look, test } from "./fixtures";
import { asks } from "./town";

const REASON = "The council asked for this at its meeting of 20 November.";

test("two operators change a retention; an overseer is told", async ({ page, town }) => {
  await enter(page, town, "operator", "/desk/system", "System");
  await page.getByLabel("Ended tokens, days").fill("31");
  await page.getByRole("button", { name: "Propose" }).click();
  await expect(page.getByText("Write a reason of 10 to 500 characters.")).toBeVisible();
  await page.getByLabel("Reason").fill(REASON);
  await look(page, "desk-propose", ["desk"]);
  await page.getByRole("button", { name: "Propose" }).click();
  await page.getByRole("link", { name: "See the proposal" }).click();
  await expect(page.getByText("You proposed this. Somebody else must approve it.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Approve" })).toHaveCount(0);
  await page.getByRole("button", { name: "Sign out" }).click();

  await enter(page, town, "otto", "/desk/approvals", "Approvals");
  await expect(page.getByRole("link", { name: /Approvals\s+1 waits/ })).toBeVisible();
  await look(page, "desk-approvals", ["desk"]);
  await page.getByRole("link", { name: /Limits and retentions/ }).click();
  await expect(page.getByText('+    "token_days": 31')).toBeVisible();
  await look(page, "desk-proposal", ["desk"]);
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
  await expect(page.locator("main [role=status]").getByText("Approved")).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();

  await enter(page, town, "oona", "/desk/oversight", "Records of actions");
  await expect(page.getByText("Change approved: whole deployment").first()).toBeVisible();
  await look(page, "desk-notices", ["desk"]);
  await page.getByRole("button", { name: "Mark as seen" }).first().click();
  await expect(page.getByText("Change approved: whole deployment")).toHaveCount(0);
});

test("a case is shared by two of one agency and two of the other, and ended by one", async ({ page, town }) => {
  const { ivo } = town.people;
  const { id } = await asks<{ id: string }>(ivo!, ["case", "create", "--title", "Garages on the county line"]);
  await enter(page, town, "sol", "/desk/sharing", "Sharing");
  await page.getByRole("button", { name: "Offer to share" }).click();
  const form = page.getByRole("dialog", { name: "Offer to share" });
  await form.getByLabel("Which case").selectOption({ label: "Garages on the county line" });
  await form.getByLabel("Agencies by name").fill(town.agencies.city);
  await form.getByLabel("Last day").fill(new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10));
  await form.getByLabel("Reason").fill(REASON);
  await look(page, "desk-offer-sharing", ["desk"]);
  await form.getByRole("button", { name: "Propose" }).click();
  await expect(page.getByText("A second supervisor or administrator of your agency must approve it.")).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();

  const approve = async (who: string, kind: RegExp) => {
    await enter(page, town, who, "/desk/approvals", "Approvals");
    await page.getByRole("link", { name: kind }).click();
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Approve" }).click();
    await expect(page.locator("main [role=status]").getByText("Approved")).toBeVisible();
    await page.getByRole("button", { name: "Sign out" }).click();
  };
  await approve("bea", /Share with another agency/);
  await enter(page, town, "sam", "/desk/sharing", "Sharing");
  await page.getByRole("button", { name: "Accept" }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill(REASON);
  await page.getByRole("dialog").getByRole("button", { name: "Propose" }).click();
  await page.getByRole("button", { name: "Sign out" }).click();
  await approve("ada", /Accept what another agency shares/);

  await enter(page, town, "sam", "/desk/cases", "Cases");
  await page.getByRole("link", { name: /Garages on the county line.*Shared by Merrimack County Sheriff/s }).click();
  await expect(page).toHaveURL(new RegExp(id));
  await expect(page.getByText("Shared by Merrimack County Sheriff")).toBeVisible();
  await look(page, "desk-case-shared", ["desk"]);
  await page.getByRole("button", { name: "Sign out" }).click();

  await enter(page, town, "sol", "/desk/sharing", "Sharing");
  await look(page, "desk-sharing", ["desk"]);
  await page.getByRole("button", { name: "End now" }).click();
  await page.getByRole("dialog").getByLabel("Reason").fill("The joint work is done, the case is closed.");
  await page.getByRole("dialog").getByRole("button", { name: "End now" }).click();
  await expect(page.locator("main .tag", { hasText: "Ended" })).toBeVisible();
});
