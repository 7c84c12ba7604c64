/** How many parts a text takes: GSM-7 160 / 153 a part, else UCS-2 70 / 67 (Telnyx, message encoding). */
const GSM7 = new Set(
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà",
);
const GSM7_EXTENDED = new Set("^{}\\[~]|€\f");
export const MAX_PARTS = 10;

export function textSize(text) {
  let units = 0;
  for (const character of text) {
    if (GSM7.has(character)) units += 1;
    else if (GSM7_EXTENDED.has(character)) units += 2;
    else return size(text.length, 70, 67);
  }
  return size(units, 160, 153);
}

function size(units, single, each) {
  return { units, parts: units <= single ? Math.min(units, 1) : Math.ceil(units / each) };
}
