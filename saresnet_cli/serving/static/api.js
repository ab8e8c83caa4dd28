// Requests to the server, and what it refuses.

export class Problem extends Error {
  constructor(detail, cure) {
    super(detail);
    this.cure = cure;
  }
}

async function fetched(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem("the server does not answer", "is `saresnet serve` still running?");
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  throw new Problem(problem.detail || `the server answered ${response.status}`, problem.cure || "try again");
}

export const get = async (name) => (await fetched(`/api/${name}`, {})).json();

// query: [name, value] pairs; body: what is sent, null for nothing.
export async function ask(name, query, body, signal) {
  const words = new URLSearchParams(query.filter(([, value]) => value !== null && value !== ""));
  const headers = { "Content-Type": "application/octet-stream" };
  return fetched(`/api/${name}?${words}`, { method: "POST", body: body ?? "", headers, signal });
}
