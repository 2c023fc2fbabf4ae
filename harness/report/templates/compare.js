// The compare page: flipped samples by direction.
const versus = $('[data-view="compare"]');

function showFlips(direction) {
  const wanted = ["lost", "gained"].includes(direction) ? direction : "all";
  for (const flip of $$(".flip", versus)) flip.hidden = wanted !== "all" && flip.dataset.dir !== wanted;
  for (const button of $$(".dirs button", versus)) button.setAttribute("aria-pressed", button.dataset.dir === wanted);
}

versus?.addEventListener("click", (event) => {
  const button = event.target.closest(".dirs button");
  if (button) goTo({ view: "compare", dir: button.dataset.dir === "all" ? null : button.dataset.dir });
});
