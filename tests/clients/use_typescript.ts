/** Use the types of openapi-typescript: `node use_typescript.js URL USER PASSWORD PHONE`. */
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[] };

const [url, username, password, phone] = process.argv.slice(2) as [string, string, string, string];

function assert(held: boolean, told: unknown): asserts held {
  if (!held) throw new Error(JSON.stringify(told));
}

const stranger = createClient<paths>({ baseUrl: url });
const login = await stranger.POST("/api/v1/auth/login/", { body: { username, password } });
assert(login.data !== undefined, login.error);
const api = createClient<paths>({
  baseUrl: url,
  headers: { Authorization: `Bearer ${login.data.token}` },
});
const church = "grace";

const page = await api.GET("/api/v1/churches/{church}/members/", {
  params: { path: { church }, query: { page_size: 3 } },
});
assert(page.data?.results.length === 3, page);
const sparse = await api.GET("/api/v1/churches/{church}/members/", {
  params: { path: { church }, query: { page_size: 3, fields: "id,first_name" } },
});
const first: components["schemas"]["Member"] | undefined = sparse.data?.results[0];
assert(first !== undefined && first.id === page.data.results[0]?.id, sparse);
assert(first.phone === undefined, first);

const sent = await api.POST("/api/v1/churches/{church}/messages/", {
  params: { path: { church } },
  body: { to: phone, text: "Hello from openapi-typescript" },
});
assert(sent.response.status === 202 && sent.data?.text?.startsWith("Hello") === true, sent);

const made = await api.POST("/api/v1/churches/{church}/members/", {
  params: { path: { church } },
  body: { first_name: "Clara", phone },
});
assert(made.data?.id !== undefined && made.data.etag !== undefined, made.error);
const item = { church, id: made.data.id };
const header = { "If-Match": made.data.etag };
const changed = await api.PATCH("/api/v1/churches/{church}/members/{id}/", {
  params: { path: item, header },
  body: { first_name: "Klara" },
});
assert(changed.data?.first_name === "Klara" && changed.data.etag !== undefined, changed.error);
const stale = await api.PATCH("/api/v1/churches/{church}/members/{id}/", {
  params: { path: item, header },
  body: { first_name: "Klara" },
});
const problem: components["schemas"]["Problem"] | undefined = stale.error;
assert(problem?.status === 412 && problem.detail !== "", stale);
const gone = await api.DELETE("/api/v1/churches/{church}/members/{id}/", {
  params: { path: item, header: { "If-Match": changed.data.etag } },
});
assert(gone.response.status === 204, gone.error);

const table = await api.GET("/api/v1/churches/{church}/dead-letters/export/", {
  params: { path: { church } },
  parseAs: "text",
});
const text: string | undefined = table.data;
assert(text !== undefined && text.includes(","), table);

const logout = await api.POST("/api/v1/auth/logout/", {});
assert(logout.response.status === 204, logout.error);
const refused = await api.GET("/api/v1/me/");
assert(refused.error?.status === 401, refused);
