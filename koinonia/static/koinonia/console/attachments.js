const PICTURE = /\.(jpg|png|gif)$/;

/** The attachments of a form: a chosen file is stored at once, so that it survives a reload. */
export class Attachments {
  #form;
  #list;
  #problem;
  #changed;

  constructor(form, changed) {
    this.#form = form;
    this.#changed = changed;
    this.#list = document.getElementById("attached");
    this.#problem = document.getElementById("file-problem");
    form.elements.file.addEventListener("change", () => this.#upload());
    this.#list.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (!button) return;
      event.preventDefault();
      button.closest("li").remove();
      form.elements.file.focus();
      changed();
    });
  }

  /** Show the URLs that a draft names. */
  show(urls) {
    this.#list.replaceChildren();
    for (const url of urls) this.#add(url);
  }

  async #upload() {
    const input = this.#form.elements.file;
    const [file] = input.files;
    this.#say("");
    if (!file) return;
    const body = new FormData();
    body.append("file", file);
    const headers = { Accept: "application/json", "X-CSRFToken": document.body.dataset.csrf };
    let answer, told;
    try {
      answer = await fetch(`${this.#form.dataset.api}media/`, { method: "POST", body, headers });
      told = await answer.json();
    } catch {
      return; // There is no answer, or a part of one. The form sends the file with the text.
    }
    input.value = "";
    if (!answer.ok) return this.#say((told.errors?.file ?? [told.detail]).join(" "));
    this.#add(told.url, told.name);
    this.#changed();
  }

  #add(url, name) {
    const line = document.getElementById("attachment").content.firstElementChild.cloneNode(true);
    line.querySelector("input").value = url;
    const link = line.querySelector("a");
    link.href = url;
    if (name) link.querySelector("span").textContent = name;
    const { origin, pathname } = new URL(url, location.href);
    // The page may load pictures from this site alone.
    if (origin === location.origin && PICTURE.test(pathname)) Object.assign(link.querySelector("img"), { src: url, hidden: false });
    line.querySelector("button").value = `detach:${url}`;
    this.#list.append(line);
    this.#list.closest("details").open = true;
  }

  #say(sentence) {
    this.#problem.textContent = sentence;
    this.#problem.hidden = !sentence;
  }
}
