(() => {
  const root = document.documentElement;
  let kept = {};
  try { kept = JSON.parse(localStorage.getItem("harness") || "{}") || {}; } catch { kept = {}; }
  root.classList.add("js");
  root.dataset.lang = kept.lang === "zh" || kept.lang === "en" ? kept.lang
    : (navigator.language || "en").startsWith("zh") ? "zh" : "en";
  root.lang = root.dataset.lang;
  if (kept.theme === "light" || kept.theme === "dark") root.dataset.theme = kept.theme;
  if (kept.tint === false) root.classList.add("plain");
  if (kept.figures) root.classList.add("figures");
})();
