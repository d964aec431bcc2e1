// What a script of these tests and the test that started it say to each other: a line of JSON each, by turns.
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function harness(wish) {
  process.stdout.write(`${JSON.stringify(wish)}\n`);
  const { value, done } = await lines.next();
  if (done) throw new Error("the test is gone");
  return JSON.parse(value);
}

/** Sets the record of DNS that a custom domain asks for. */
export async function prove(domain) {
  const { domain: name, record } = domain.verification.methods.find((method) => method.name === "TXT");
  await harness({ do: "txt", name, value: record });
}

/** The status of a request on the data plane, by its host and the front door's key. */
export async function knock(host, key) {
  return (await harness({ do: "knock", host, key })).status;
}

export const admin = process.env.ADMIN;
export const token = process.env.TOKEN;

/** A request by hand, for what is ours alone. */
export async function byHand(method, path, body) {
  const answer = await fetch(`https://${admin}/api/v2${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, json: text ? JSON.parse(text) : undefined };
}

/** Ends the script when its story is told, although somebody could still write to it. */
export function end() {
  process.stdin.destroy();
}
