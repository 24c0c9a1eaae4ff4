// rtnetlink with nothing around it: requests are put one behind the other into a batch, a batch is
// one system call, and every acknowledgement is read. What fails ends the process.
#ifndef BENCH_NETLINK_H
#define BENCH_NETLINK_H

#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Ends the process with a reply that says why. */
_Noreturn void fail(const char* step, int error);

/** The requests of one send; the kernel takes no more than a send buffer at once. */
struct batch {
  _Alignas(NLMSG_ALIGNTO) unsigned char bytes[192 * 1024];
  size_t size;
  struct nlmsghdr* last;
  unsigned count;
};

void batch_clear(struct batch* batch);

/** Begins a request about the link with this index, or about any (0). Acknowledged, unless it
 * dumps. */
struct ifinfomsg* batch_link(struct batch* batch, uint16_t type, uint16_t flags, uint32_t index);

/** Begins a request with another header; the header is zero. */
void* batch_request(struct batch* batch, uint16_t type, uint16_t flags, size_t header_size);

void put(struct batch* batch, uint16_t type, const void* value, size_t size);
void put_text(struct batch* batch, uint16_t type, const char* text);
void put_u32(struct batch* batch, uint16_t type, uint32_t value);
/** Opens a nest; returns what `put_end` takes. */
size_t put_nest(struct batch* batch, uint16_t type);
void put_end(struct batch* batch, size_t nest);

/** Makes the socket of the process. */
int open_socket(uint32_t groups);
void set_up_netlink(void);

/** What is read of a link. */
struct link_facts {
  uint32_t index;
  uint32_t flags;
  uint32_t mtu;
  uint32_t tx_queue_length;
  uint32_t parent;
  uint32_t master;
  unsigned char mac[6];
  char name[IFNAMSIZ];
  char kind[16];
  char alias[256];
  char identity[128];
};

void read_link(const struct nlmsghdr* message, struct link_facts* link);

/** Is given each RTM_NEWLINK among the replies. */
typedef void (*link_reader)(const struct nlmsghdr* message, void* context);

/** Sends the batch and reads all its replies. Only `tolerated` (or 0) may be acknowledged as an
 * error. */
void exchange(struct batch* batch, const char* step, int tolerated, link_reader reader,
              void* context);

/** Reads a dump to its end, with buffers of 32 kB: the kernel fills no more. */
void dump_links(link_reader reader, void* context);

/** A request that a thread sends and waits for, on a socket of its own. */
struct errand {
  pthread_t thread;
  const char* step;
  int fd;
  size_t size;
  unsigned char bytes[128];
};

/** Takes what is in the batch. */
void begin_errand(struct errand* errand, struct batch* batch, const char* step);
void end_errand(struct errand* errand);

/** Until a socket that listens has heard of so many links that were deleted. */
void hear_of_deletes(int fd, size_t count);

#endif
