// The benchmark's limit: bare C. `bare_c KIND IPV6 BRIDGES`, in a network namespace that has
// parent0 or br0, br1 ...; takes commands from standard input and answers each with one line of
// JSON (bench/peers/answer.mjs says which): what one device, or one call, cost.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "device.h"
#include "netlink.h"

static struct scene scene;
static struct device* devices;
static size_t made;

// ---- the clocks ----

struct instant {
  double wall_us;
  double cpu_us;
};

static double wall_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static struct instant now(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  const double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
                     (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
  return (struct instant){.wall_us = wall_us(), .cpu_us = cpu};
}

static void answer(struct instant start, size_t count) {
  const struct instant end = now();
  printf("{\"wallUs\":%.2f,\"cpuUs\":%.2f}\n", (end.wall_us - start.wall_us) / (double)count,
         (end.cpu_us - start.cpu_us) / (double)count);
}

static int by_size(const void* left, const void* right) {
  const double difference = *(const double*)left - *(const double*)right;
  return difference < 0 ? -1 : difference > 0;
}

/** The median of single waits: one that was held up by somebody else does not count. */
static void answer_median(double* waits, size_t count) {
  qsort(waits, count, sizeof *waits, by_size);
  const double middle = (waits[(count - 1) / 2] + waits[count / 2]) / 2;
  printf("{\"wallUs\":%.2f}\n", middle);
}

// ---- the commands ----

static void make_more(size_t count, size_t chunk) {
  devices = realloc(devices, (made + count) * sizeof *devices);
  if (devices == NULL) fail("make room for devices", ENOMEM);
  make_devices(&scene, devices, made, made + count, chunk);
  made += count;
}

static void make_measured(size_t count, size_t chunk) {
  const struct instant start = now();
  make_more(count, chunk);
  answer(start, count);
}

static void count_link(const struct nlmsghdr* message, void* context) {
  struct link_facts link;
  read_link(message, &link);
  *(size_t*)context += link.index != 0;
}

static void list(size_t times) {
  size_t links = 0;
  const struct instant start = now();
  for (size_t time = 0; time < times; time += 1) dump_links(count_link, &links);
  answer(start, times);
}

static void get(size_t times) {
  static struct batch batch;
  size_t links = 0;
  const struct instant start = now();
  for (size_t time = 0; time < times; time += 1) {
    batch_link(&batch, RTM_GETLINK, 0, 0);
    put_text(&batch, IFLA_IFNAME, devices[time % made].name);
    put_u32(&batch, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
    exchange(&batch, "get a link", 0, count_link, &links);
  }
  answer(start, times);
}

/** A listening socket, and when it heard first of a link that has not been there. */
struct listener {
  int fd;
  uint32_t index;
  double heard_us;
};

static void* listen_once(void* context) {
  struct listener* listener = context;
  static unsigned char news[32 * 1024];
  for (;;) {
    const ssize_t size = recv(listener->fd, news, sizeof news, 0);
    if (size < 0) return NULL;
    size_t left = (size_t)size;
    for (struct nlmsghdr* message = (struct nlmsghdr*)news; NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      const struct ifinfomsg* info = NLMSG_DATA(message);
      if (message->nlmsg_type != RTM_NEWLINK || info->ifi_family != AF_UNSPEC) continue;
      // The first link of a new one: those that were there have been heard of, and drained.
      listener->heard_us = wall_us();
      return NULL;
    }
  }
}

static void drain(int fd) {
  static unsigned char news[32 * 1024];
  // Quiet for 20 ms: nothing of the device before is under way any more.
  while (poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 20) > 0) {
    recv(fd, news, sizeof news, MSG_DONTWAIT);
  }
}

static void event(size_t times) {
  double* waits = calloc(times, sizeof *waits);
  struct listener listener = {.fd = open_socket(RTMGRP_LINK)};
  for (size_t time = 0; time < times; time += 1) {
    drain(listener.fd);
    pthread_t thread;
    pthread_create(&thread, NULL, listen_once, &listener);
    // Long enough for the thread to sleep in the kernel.
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    const double start = wall_us();
    make_more(1, 1);
    pthread_join(thread, NULL);
    waits[time] = listener.heard_us - start;
  }
  answer_median(waits, times);
  free(waits);
}

static void delete_single(size_t times) {
  double* waits = calloc(times, sizeof *waits);
  for (size_t time = 0; time < times; time += 1) {
    // As long as flintap's peer: else each would begin right where a grace period has ended.
    nanosleep(&(struct timespec){.tv_nsec = 40000000}, NULL);
    const double start = wall_us();
    delete_one(&devices[--made]);
    waits[time] = wall_us() - start;
  }
  answer_median(waits, times);
  free(waits);
}

static void delete_all(void) {
  const size_t count = made;
  const struct instant start = now();
  delete_together(devices, made);
  made = 0;
  answer(start, count);
}

static void obey(const char* verb, size_t count) {
  if (strcmp(verb, "make-bulk") == 0) {
    make_measured(count, made_together);
  } else if (strcmp(verb, "make-awaited") == 0) {
    make_measured(count, 1);
  } else if (strcmp(verb, "list") == 0) {
    list(count);
  } else if (strcmp(verb, "get") == 0) {
    get(count);
  } else if (strcmp(verb, "event") == 0) {
    event(count);
  } else if (strcmp(verb, "delete-single") == 0) {
    delete_single(count);
  } else if (strcmp(verb, "delete-bulk") == 0) {
    delete_all();
  } else {
    fail(verb, EINVAL);
  }
  fflush(stdout);
}

int main(int argc, char** argv) {
  if (argc != 4) fail("KIND IPV6 BRIDGES", EINVAL);
  const char* kind = argv[1];
  scene.macvtap = strcmp(kind, "macvtap") == 0;
  scene.noqueue = strcmp(kind, "multi-queue-tap") == 0;
  scene.multi_queue = scene.noqueue || strcmp(kind, "multi-queue-tap-default") == 0;
  scene.closes_ipv6 = strcmp(argv[2], "closed") == 0;
  scene.bridges = (unsigned)atoi(argv[3]);
  set_up_netlink();
  char verb[32];
  size_t count;
  while (scanf("%31s %zu", verb, &count) == 2) obey(verb, count);
  return 0;
}
