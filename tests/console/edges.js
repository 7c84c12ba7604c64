/* Returns the controls whose edge or focus ring contrasts less than 3:1 with what is behind it. */
() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const channels = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = (colour) => {
    const linear = channels(colour).slice(0, 3).map((value) => value / 255)
      .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((left, right) => left - right);
    return (light + 0.05) / (dark + 0.05);
  };
  const behind = (element) => {
    for (let above = element.parentElement; above; above = above.parentElement) {
      const colour = getComputedStyle(above).backgroundColor;
      if (channels(colour)[3] > 200) return colour;
    }
    return "white";
  };
  const CONTROLS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const EDGED = "input:not([type=checkbox], [type=radio]), select, textarea";
  const found = [];
  for (const control of document.querySelectorAll(CONTROLS)) {
    if (!control.checkVisibility() || control.matches(":disabled")) continue;
    const report = (fault) => found.push(`${fault}: ${control.outerHTML.slice(0, 120)}`);
    const paper = behind(control);
    if (control.matches(EDGED) && contrast(getComputedStyle(control).borderTopColor, paper) < 3) report("faint edge");
    control.focus({ focusVisible: true, preventScroll: true });
    if (document.activeElement !== control) report("no focus");
    const style = getComputedStyle(control);
    const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    if (!ring || contrast(style.outlineColor, paper) < 3) report("faint focus");
  }
  document.activeElement?.blur();
  return found;
}
