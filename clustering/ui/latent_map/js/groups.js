// What the colours mean: groups (or a ramp) read from the legend, and which of them are greyed.

/** Make the groups of a legend, with how many visible items each holds. */
function readGroups(legend, codes, flags, hidden) {
  const counts = new Uint32Array(MISSING + 1);
  for (let i = 0; i < codes.length; i++) if (!(flags[i] & FILTERED)) counts[codes[i]]++;
  const groups = legend.kind === "ramp" ? [] : legend.names.map((name, code) => ({
    code,
    name,
    label: legend.numbers && name === `Group ${legend.marks?.[code] ?? code + 1}` ? "" : name, // the number says it
    number: legend.marks?.[code] ?? code + 1,
    count: counts[code],
    medoid: legend.medoids?.[code] ?? -1,
    hidden: hidden.has(code),
  }));
  return { groups, unassigned: counts[MISSING] };
}

/** Middle of each group's visible items, where its medoid is not known. */
function groupMiddles(groups, codes, flags, xy) {
  const sums = new Float64Array(groups.length * 3);
  for (let i = 0; i < codes.length; i++) {
    if (codes[i] === MISSING || flags[i] & FILTERED || codes[i] >= groups.length) continue;
    sums[3 * codes[i]] += xy[2 * i];
    sums[3 * codes[i] + 1] += xy[2 * i + 1];
    sums[3 * codes[i] + 2]++;
  }
  return groups.map((_, code) => [sums[3 * code] / sums[3 * code + 2], sums[3 * code + 1] / sums[3 * code + 2]]);
}

/** The palette as bytes for the painter: RGB and whether the group is coloured. */
function paletteBytes(palette, groups, spotlight) {
  const bytes = new Uint8Array(palette.length * 4);
  palette.forEach((colour, code) => {
    const off = groups[code] && (groups[code].hidden ? spotlight !== code : spotlight !== null && spotlight !== code);
    bytes.set([...colour, off ? 0 : 255], 4 * code);
  });
  return bytes;
}

/** An order of n items without pattern, the same every time: no group lies over another because of its place in the file. */
function shuffledOrder(n) {
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  let state = 0x9e3779b9;
  for (let i = n - 1; i > 0; i--) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((state / 4294967296) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

function reordered(array, order, width = 1) {
  const made = new array.constructor(array.length);
  for (let i = 0; i < order.length; i++) {
    for (let part = 0; part < width; part++) made[width * i + part] = array[width * order[i] + part];
  }
  return made;
}
