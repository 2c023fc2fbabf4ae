// Breaches of WCAG 2.2 AA, and of good practice, that axe-core finds on the page as it stands. In the
// dark only the rules that look at colours: a page is built the same in both.
async () => {
  const tags = ["best-practice", "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const runOnly = dark ? { type: "rule", values: ["color-contrast", "link-in-text-block"] } : { type: "tag", values: tags };
  const found = await axe.run(document, { runOnly, resultTypes: ["violations"] });
  const shown = (v) => `${v.id}: ${v.nodes.length} x ${v.nodes[0].html.slice(0, 160)}`;
  return found.violations.map(shown);
}
