/** Calls of published texts of policy. */
import { api, type Schemas } from "$lib/api/client";

export type PolicyTexts = Schemas["PolicyTexts"];
export type NewPolicyText = Schemas["NewPolicyText"];

/** The texts of an agency, or of the whole deployment (`""`), beside what is in force. */
export async function policyTexts(agency: string): Promise<PolicyTexts> {
  if (!agency) {
    const { data } = await api.GET("/api/v1/policy-text");
    return data as PolicyTexts;
  }
  const { data } = await api.GET("/api/v1/agencies/{agency}/policy-text", { params: { path: { agency } } });
  return data as PolicyTexts;
}

/** Publishes a text in place of the one before in its language. */
export async function setPolicyText(agency: string, text: NewPolicyText): Promise<PolicyTexts> {
  if (!agency) {
    const { data } = await api.PUT("/api/v1/policy-text", { body: text });
    return data as PolicyTexts;
  }
  const { data } = await api.PUT("/api/v1/agencies/{agency}/policy-text", {
    params: { path: { agency } },
    body: text,
  });
  return data as PolicyTexts;
}
