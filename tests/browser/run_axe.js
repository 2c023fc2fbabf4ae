// Breaches of WCAG 2.2 AA, and of good practice, that axe-core finds on the page as it stands.
async () => {
  const tags = ["best-practice", "wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const found = await axe.run(document, { runOnly: { type: "tag", values: tags } });
  const shown = (v) => `${v.id}: ${v.nodes.length} x ${v.nodes[0].html.slice(0, 160)}`;
  return found.violations.map(shown);
}
