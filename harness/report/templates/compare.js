// The compare page: lines by verdict, flipped samples by direction and task.
const versus = $('[data-view="compare"]');

function showFlips(asked) {
  const wanted = ["lost", "gained"].includes(asked.get("dir")) ? asked.get("dir") : "all";
  const kind = asked.get("kind") || "", place = asked.get("place") || "";
  for (const row of $$(".versus tbody tr", versus)) row.hidden = Boolean(kind) && row.dataset.kind !== kind;
  for (const button of $$(".kinds button", versus)) button.setAttribute("aria-pressed", button.dataset.kind === kind);
  for (const part of $$(".flips", versus)) {
    const flips = $$(".flip", part);
    for (const flip of flips) flip.hidden = (wanted !== "all" && flip.dataset.dir !== wanted) || (Boolean(place) && flip.dataset.place !== place);
    const none = $(".none", part);
    if (none) none.hidden = flips.some((flip) => !flip.hidden);
    for (const select of $$(".by-place", part)) select.value = [...select.options].some((one) => one.value === place) ? place : "";
  }
  for (const button of $$(".dirs button", versus)) button.setAttribute("aria-pressed", button.dataset.dir === wanted);
}

versus?.addEventListener("click", (event) => {
  const direction = event.target.closest(".dirs button");
  if (direction) goTo({ view: "compare", dir: direction.dataset.dir === "all" ? null : direction.dataset.dir }, true);
  const kind = event.target.closest(".kinds button");
  if (kind) goTo({ view: "compare", kind: kind.dataset.kind }, true);
});
versus?.addEventListener("change", (event) => {
  if (event.target.matches(".by-place")) goTo({ view: "compare", place: event.target.value }, true);
});
