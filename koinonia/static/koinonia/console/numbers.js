/** Spanish is written as in Mexico and the United States, as the pages of the server do. */
const REGIONS = { es: "es-MX" };

const { lang } = document.documentElement;
const format = new Intl.NumberFormat(REGIONS[lang] ?? (lang || undefined));

/** Return a number with the separators of the page's language. */
export function grouped(number) {
  return format.format(number);
}
