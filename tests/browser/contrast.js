// Visible texts whose contrast with their ground is below 4.5:1 (WCAG 2.2, 1.4.3).
() => {
  const parse = (text) => {
    const parts = text.match(/[\d.]+/g).map(Number);
    return { rgb: parts.slice(0, 3), a: parts.length > 3 ? parts[3] : 1 };
  };
  const over = (top, under) => top.rgb.map((c, i) => c * top.a + under[i] * (1 - top.a));
  const ground = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) layers.push(parse(getComputedStyle(at).backgroundColor));
    let base = parse(getComputedStyle(document.body).backgroundColor).rgb;
    for (const layer of layers.reverse()) base = over(layer, base);
    return base;
  };
  const light = (rgb) => rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const bad = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const box = node.parentElement;
    if (!node.textContent.trim() || !box.checkVisibility() || box.closest("svg, script, style, .hidden, .skip, option")) continue;
    const [a, b] = [light(over(parse(getComputedStyle(box).color), ground(box))), light(ground(box))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(`${ratio.toFixed(2)} ${box.className} ${node.textContent.trim().slice(0, 30)}`);
  }
  return bad.slice(0, 10);
}
