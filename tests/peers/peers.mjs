// Reads payment codes with the peers from npm: one payload (a JSON string) a line on standard input.
//   node peers.mjs read    one JSON object a line: what each peer says, null where it refuses
//   node peers.mjs time    one JSON object: microseconds of processor time a payload, for each peer
import readline from "node:readline";
import vm from "node:vm";
import * as promptparse from "promptparse";
import vietnam from "vietnam-qr-pay";

const ROUNDS = 200;
const PATIENCE = 500; // milliseconds

function byPromptparse(payload) {
  const code = promptparse.parse(payload, true, true);
  return code && Object.fromEntries(code.getTags().map((tag) => [tag.id, tag.value]));
}

function byVietnamQrPay(payload) {
  const code = new vietnam.QRPay(payload);
  if (!code.isValid) return null;
  return {
    amount: code.amount ?? null,
    currency: code.currency ?? null,
    country: code.nation ?? null,
    city: code.city ?? null,
    bank: code.consumer?.bankBin ?? null,
    account: code.consumer?.bankNumber ?? null,
    merchant: code.merchant?.id ?? null,
    purpose: code.additionalData?.purpose ?? null,
  };
}

const PEERS = { promptparse: byPromptparse, "vietnam-qr-pay": byVietnamQrPay };

// A peer that throws has refused, and so has one that finds no end.
const context = vm.createContext({});
const call = new vm.Script("said = read(payload)");

function said(read, payload) {
  Object.assign(context, { read, payload, said: null });
  try {
    call.runInContext(context, { timeout: PATIENCE });
    return context.said;
  } catch {
    return null;
  }
}

function microseconds(read, payloads) {
  const start = process.cpuUsage();
  for (let round = 0; round < ROUNDS; round++) for (const payload of payloads) read(payload);
  const used = process.cpuUsage(start);
  return (used.user + used.system) / (ROUNDS * payloads.length);
}

const payloads = [];
for await (const line of readline.createInterface({ input: process.stdin })) payloads.push(JSON.parse(line));

const peers = Object.entries(PEERS);
if (process.argv[2] === "time") {
  console.log(JSON.stringify(Object.fromEntries(peers.map(([name, read]) => [name, microseconds(read, payloads)]))));
} else {
  for (const payload of payloads) {
    console.log(JSON.stringify(Object.fromEntries(peers.map(([name, read]) => [name, said(read, payload)]))));
  }
}
