// Times on the reader's clock, a question before what cannot be undone, and fresh figures every few seconds.
// Everything works without it.
"use strict";

const REFRESH_MS = 3000;
const UNITS = [["d", 86400], ["h", 3600], ["m", 60], ["s", 1]];

function away(seconds) {
  let rest = Math.round(Math.abs(seconds));
  const parts = [];
  for (const [unit, size] of UNITS) {
    const number = Math.floor(rest / size);
    rest %= size;
    if (number) parts.push(`${number} ${unit}`);
    else if (parts.length) break;
  }
  const text = parts.slice(0, 2).join(" ");
  if (!text) return "now";
  return seconds > 0 ? `in ${text}` : `${text} ago`;
}

function onClock(date) {
  const digits = (number) => String(number).padStart(2, "0");
  const day = [date.getFullYear(), digits(date.getMonth() + 1), digits(date.getDate())].join("-");
  return `${day} ${[date.getHours(), date.getMinutes(), date.getSeconds()].map(digits).join(":")}`;
}

function showTimes() {
  const now = Date.now();
  for (const element of document.querySelectorAll("time")) {
    const date = new Date(element.dateTime);
    const distance = away((date - now) / 1000);
    const clock = onClock(date);
    const isAway = "away" in element.dataset;
    const text = isAway ? distance : clock;
    if (element.textContent !== text) element.textContent = text;
    element.title = `${isAway ? clock : distance} (${element.dateTime})`;
  }
}

async function refresh() {
  if (document.hidden || document.querySelector("[data-live] :focus")) return;
  const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" }).catch(() => null);
  document.getElementById("stale").hidden = Boolean(answer && answer.ok);
  if (!answer || !answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live][id]")) {
    const other = fresh.getElementById(part.id);
    if (other) part.replaceChildren(...other.childNodes);
  }
  showTimes();
}

async function lookAgain() {
  const answer = await fetch(location.href, { method: "HEAD", credentials: "same-origin" });
  if (answer.ok) location.replace(location.href);
}

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.sure;
  if (question && !window.confirm(question)) event.preventDefault();
});

showTimes();
setInterval(showTimes, 1000);
if (document.querySelector("[data-live]")) {
  setInterval(() => refresh().catch(() => {}), REFRESH_MS);
}
if (document.querySelector("[data-again]")) {
  setInterval(() => lookAgain().catch(() => {}), REFRESH_MS);
}
