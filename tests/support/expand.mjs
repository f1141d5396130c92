// What Thunderbird's own library makes of an iCalendar text: instants by UID, in seconds since 1970.
// usage: node expand.mjs ICAL_JS FROM TO < text
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [library, from, to] = process.argv.slice(2);
const { default: ICAL } = await import(pathToFileURL(library));
const calendar = new ICAL.Component(ICAL.parse(readFileSync(0, "utf8")));
const found = {};
for (const component of calendar.getAllSubcomponents("vevent")) {
  const event = new ICAL.Event(component);
  const instants = new Set();
  const note = (seconds) => seconds >= Number(from) && seconds < Number(to) && instants.add(seconds);
  // The iterator leaves DTSTART out where there are only RDATEs; programs show it, as RFC 5545, 3.8.2.4 says.
  if (!component.hasProperty("rrule")) note(event.startDate.toUnixTime());
  const steps = event.isRecurring() ? event.iterator() : { next: () => null };
  for (let time = steps.next(); time && time.toUnixTime() < Number(to); time = steps.next()) {
    note(time.toUnixTime());
  }
  found[event.uid] = [...(found[event.uid] ?? []), ...instants];
}
console.log(JSON.stringify(found));
