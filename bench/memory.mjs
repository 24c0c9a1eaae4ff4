// What the kernel has taken for its own objects: devices are made of slabs, per-processor memory and
// what it maps. Other processes' work is in it as well, so it tells of thousands of devices only.
import { readFileSync } from "node:fs";

const parts = ["Slab", "Percpu", "VmallocUsed"];

export function kernelMemoryKiB() {
  const text = readFileSync("/proc/meminfo", "utf8");
  const sizes = parts.map((part) => Number(new RegExp(`^${part}: +(\\d+)`, "m").exec(text)?.[1]));
  return sizes.filter(Number.isFinite).reduce((sum, size) => sum + size, 0);
}
