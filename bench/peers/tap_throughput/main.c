// Frames through a tap with several queues: `tap_throughput noqueue|default`, in a network
// namespace of its own. A writer sends frames to the tap as the host's network stack does, a reader
// takes them from its queues as a VMM does. The writer waits for the reader, so that nothing is
// dropped. Takes "frames N" from standard input and answers with one line of JSON.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { queues = 2, frame_size = 1400, most_under_way = 256, patience_ms = 60000 };

static int queue_fds[queues];
static atomic_size_t taken;

static _Noreturn void fail(const char* step) {
  printf("{\"error\":\"%s: %s\"}\n", step, strerror(errno));
  fflush(stdout);
  exit(1);
}

static void command(const char* line) {
  errno = EINVAL;
  if (system(line) != 0) fail(line);
}

static void make_tap(const char* discipline) {
  for (int at = 0; at < queues; at += 1) {
    queue_fds[at] = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    struct ifreq request = {.ifr_name = "tap0", .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE};
    if (queue_fds[at] < 0 || ioctl(queue_fds[at], TUNSETIFF, &request) < 0) fail("make a tap");
  }
  if (strcmp(discipline, "noqueue") == 0) command("tc qdisc replace dev tap0 root noqueue");
  command("ip link set tap0 up");
}

static void* read_frames(void* context) {
  const size_t wanted = *(const size_t*)context;
  unsigned char frame[2048];
  struct pollfd polled[queues];
  for (int at = 0; at < queues; at += 1) polled[at] = (struct pollfd){queue_fds[at], POLLIN, 0};
  while (atomic_load(&taken) < wanted) {
    if (poll(polled, queues, patience_ms) <= 0) return NULL;
    for (int at = 0; at < queues; at += 1) {
      // Only the writer's: whatever else the host says is no frame of this measurement.
      for (ssize_t size; (size = read(queue_fds[at], frame, sizeof frame)) > 0;) {
        if (size == frame_size) atomic_fetch_add(&taken, 1);
      }
    }
  }
  return NULL;
}

/** As a device's own traffic: through the queueing discipline, where there is one. */
static int open_writer(struct sockaddr_ll* target) {
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  *target = (struct sockaddr_ll){.sll_family = AF_PACKET,
                                 .sll_protocol = htons(ETH_P_IP),
                                 .sll_ifindex = (int)if_nametoindex("tap0"),
                                 .sll_halen = ETH_ALEN};
  if (fd < 0) fail("open a packet socket");
  return fd;
}

static double seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void write_frames(size_t count) {
  struct sockaddr_ll target;
  const int fd = open_writer(&target);
  unsigned char frame[frame_size] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 0};
  const double start = seconds();
  for (size_t sent = 0; sent < count; sent += 1) {
    while (sent - atomic_load(&taken) >= most_under_way) {
      if ((seconds() - start) * 1000 > patience_ms) fail("wait for the reader");
      sched_yield();
    }
    if (sendto(fd, frame, sizeof frame, 0, (struct sockaddr*)&target, sizeof target) < 0) {
      fail("send a frame");
    }
  }
  close(fd);
}

int main(int argc, char** argv) {
  size_t count;
  if (argc != 2) return 2;
  make_tap(argv[1]);
  if (scanf("frames %zu", &count) != 1) return 2;
  pthread_t reader;
  pthread_create(&reader, NULL, read_frames, &count);
  const double start = seconds();
  write_frames(count);
  pthread_join(reader, NULL);
  const double took = seconds() - start;
  errno = EIO;
  if (atomic_load(&taken) < count) fail("take all frames");
  printf("{\"framesPerSecond\":%.0f}\n", (double)count / took);
  return 0;
}
