(() => {
  const root = document.documentElement;
  const keep = (part) => {
    let kept = {};
    try { kept = JSON.parse(localStorage.getItem("harness") || "{}") || {}; } catch { kept = {}; }
    try { localStorage.setItem("harness", JSON.stringify({ ...kept, ...part })); } catch { /* a page from disk may keep nothing */ }
  };
  document.getElementById("lang").addEventListener("click", () => {
    root.dataset.lang = root.lang = root.dataset.lang === "zh" ? "en" : "zh";
    keep({ lang: root.dataset.lang });
  });
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    keep({ theme: root.dataset.theme });
  });
})();
