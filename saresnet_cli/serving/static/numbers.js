// Numbers and places as they are shown.

const grouped = new Intl.NumberFormat("en-US");

export const count = (n) => grouped.format(n);

export const counted = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;

export const place = (start, end) => `${count(start)}–${count(end)}`;

export const fixed = (x, places) => (x === null ? "–" : x.toFixed(places).replace("-", "−"));

export function share(p) {
  if (p === null) return "–";
  return p >= 0.001 ? String(Number(p.toPrecision(3))) : p.toExponential(2).replace("e-", "e−");
}

// Round steps that cut [low, high] into about so many parts.
export function ticks(low, high, parts) {
  const raw = (high - low) / Math.max(parts, 1);
  const power = 10 ** Math.floor(Math.log10(raw || 1));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw) || 1;
  const found = [];
  for (let i = Math.ceil(low / step); i * step <= high + step * 1e-9; i += 1) found.push(Number((i * step).toPrecision(12)));
  return found;
}

// The index of the first value that is not below x; values ascend.
export function firstFrom(values, x) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}

// What a field says: null where it is empty, NaN where it is no whole number of 0 or more.
export function whole(text) {
  const plain = text.replace(/[,\s_]/g, "");
  return plain === "" ? null : /^\d{1,12}$/.test(plain) ? Number(plain) : NaN;
}
