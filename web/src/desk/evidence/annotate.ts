/** Notes, tags, assignment and reminders of offers, cases and items. */
import { api, type Schemas } from "$lib/api/client";

/** A record that can be annotated. */
export type Annotated = Schemas["OfferView"] | Schemas["CaseView"] | Schemas["ItemView"];

/** What changes; what is not given stays. */
export type Annotation = Partial<Schemas["Annotate"]>;

/** Changes what is attached to an offer, case or item, by its id; gives the changed record. */
export async function annotate(subject: string, change: Annotation): Promise<Annotated> {
  const body = change as Schemas["Annotate"];
  const kind = subject.slice(0, 3);
  const answer =
    kind === "off"
      ? await api.POST("/api/v1/offers/{offer}/annotations", { params: { path: { offer: subject } }, body })
      : kind === "cas"
        ? await api.POST("/api/v1/cases/{case}/annotations", { params: { path: { case: subject } }, body })
        : await api.POST("/api/v1/items/{item}/annotations", { params: { path: { item: subject } }, body });
  return answer.data as Annotated;
}
