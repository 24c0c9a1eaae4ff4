// The devices, made and deleted with the requests that flintap sends for them
// (docs/architecture.md, "One create, call by call"), up to a chunk of them in each send.
// The chunks are flintap's: kMostMadeTogether and kMostTogether in native/core/operations.
#ifndef BENCH_DEVICE_H
#define BENCH_DEVICE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { made_together = 32, deleted_together = 128 };

struct scene {
  bool macvtap;
  bool multi_queue;
  /** Of a multi-queue tap: gives it no queueing discipline, as flintap does. */
  bool noqueue;
  bool closes_ipv6;
  unsigned bridges;
};

struct device {
  uint32_t index;
  unsigned char mac[6];
  char name[IFNAMSIZ];
  char identity[48];
};

/** Makes those at `from` up to `to`, `chunk` in each send. */
void make_devices(const struct scene* scene, struct device* devices, size_t from, size_t to,
                  size_t chunk);

/** Deletes them as link groups, a chunk each. Returns when they are gone, as flintap settles its
 * calls then: the kernel's acknowledgements come later, to threads that wait for them meanwhile. */
void delete_together(const struct device* devices, size_t count);

/** Deletes one and waits for the kernel's acknowledgement. */
void delete_one(const struct device* device);

#endif
