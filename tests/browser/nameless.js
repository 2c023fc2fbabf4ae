// Visible controls that have no name.
() => [...document.querySelectorAll("button, a, input, select, [role=region]")]
  .filter((e) => e.checkVisibility())
  .filter((e) => !(e.textContent.trim() || e.getAttribute("aria-label") || e.labels?.length))
  .map((e) => e.outerHTML.slice(0, 80))
