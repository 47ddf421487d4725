/** Whether what a person wrote of themselves can be used to reach them. Pure. */
import type { MessageKey } from "$lib/i18n/keys";
import type { Contact } from "$lib/seal/types";

/** What is wrong, one text a field; nothing when all is well. At least one of the three has to be there. */
export function contactFaults(contact: Required<Contact>): Partial<Record<keyof Contact, MessageKey>> {
  const { name, phone, email } = {
    name: contact.name.trim(),
    phone: contact.phone.trim(),
    email: contact.email.trim(),
  };
  const faults: Partial<Record<keyof Contact, MessageKey>> = {};
  if (!name && !phone && !email) faults.name = "give.reach.none";
  // Every country writes numbers in its own way: only what can be none is refused.
  const digits = phone.replaceAll(/\D/g, "").length;
  if (phone && (digits < 5 || digits > 20 || /[^\d\s()+./x#-]/i.test(phone))) faults.phone = "give.reach.phone.bad";
  if (email && !/^[^\s@]+@[^\s@.]+(\.[^\s@.]+)+$/.test(email)) faults.email = "give.reach.email.bad";
  return faults;
}
