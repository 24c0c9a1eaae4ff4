// For recvmmsg.
#define _GNU_SOURCE

#include "netlink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int rtnl = -1;
static uint32_t sequence = 1;

/** As flintap does, takes many answers from the socket in one call. */
enum { most_answers = 32, answer_room = 32 * 1024 };
static _Alignas(NLMSG_ALIGNTO) unsigned char replies[most_answers][answer_room];
static struct mmsghdr answers[most_answers];

void fail(const char* step, int error) {
  printf("{\"error\":\"%s: %s\"}\n", step, strerror(error));
  fflush(stdout);
  exit(1);
}

// ---- requests ----

static void* grow(struct batch* batch, size_t size) {
  const size_t aligned = NLMSG_ALIGN(size);
  if (batch->size + aligned > sizeof batch->bytes) fail("make room for requests", ENOBUFS);
  void* place = batch->bytes + batch->size;
  memset(place, 0, aligned);
  batch->size += aligned;
  return place;
}

void batch_clear(struct batch* batch) {
  batch->size = 0;
  batch->count = 0;
  batch->last = NULL;
}

void* batch_request(struct batch* batch, uint16_t type, uint16_t flags, size_t header_size) {
  const size_t start = batch->size;
  grow(batch, NLMSG_LENGTH(header_size));
  struct nlmsghdr* message = (struct nlmsghdr*)(batch->bytes + start);
  const bool dumps = (flags & NLM_F_DUMP) == NLM_F_DUMP && type == RTM_GETLINK;
  message->nlmsg_len = (uint32_t)NLMSG_LENGTH(header_size);
  message->nlmsg_type = type;
  message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | (dumps ? 0 : NLM_F_ACK) | flags);
  message->nlmsg_seq = sequence++;
  batch->last = message;
  batch->count += 1;
  return NLMSG_DATA(message);
}

struct ifinfomsg* batch_link(struct batch* batch, uint16_t type, uint16_t flags, uint32_t index) {
  struct ifinfomsg* info = batch_request(batch, type, flags, sizeof *info);
  info->ifi_index = (int)index;
  return info;
}

void put(struct batch* batch, uint16_t type, const void* value, size_t size) {
  struct rtattr* attribute = grow(batch, RTA_LENGTH(size));
  attribute->rta_type = type;
  attribute->rta_len = (uint16_t)RTA_LENGTH(size);
  if (size > 0) memcpy(RTA_DATA(attribute), value, size);
  batch->last->nlmsg_len =
      (uint32_t)(batch->size - (size_t)((unsigned char*)batch->last - batch->bytes));
}

void put_text(struct batch* batch, uint16_t type, const char* text) {
  put(batch, type, text, strlen(text) + 1);
}

void put_u32(struct batch* batch, uint16_t type, uint32_t value) {
  put(batch, type, &value, sizeof value);
}

size_t put_nest(struct batch* batch, uint16_t type) {
  const size_t nest = batch->size;
  put(batch, type, NULL, 0);
  return nest;
}

void put_end(struct batch* batch, size_t nest) {
  ((struct rtattr*)(batch->bytes + nest))->rta_len = (uint16_t)(batch->size - nest);
}

// ---- the socket ----

int open_socket(uint32_t groups) {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
  if (fd < 0 || bind(fd, (const struct sockaddr*)&address, sizeof address) < 0) {
    fail("open a netlink socket", errno);
  }
  const int on = 1;
  const int size = 4 * 1024 * 1024;
  setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0) {
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  return fd;
}

void set_up_netlink(void) {
  static struct iovec places[most_answers];
  for (unsigned at = 0; at < most_answers; at += 1) {
    places[at] = (struct iovec){.iov_base = replies[at], .iov_len = answer_room};
    answers[at].msg_hdr = (struct msghdr){.msg_iov = &places[at], .msg_iovlen = 1};
  }
  rtnl = open_socket(0);
}

static void send_batch(const struct batch* batch, const char* step) {
  const ssize_t sent = send(rtnl, batch->bytes, batch->size, 0);
  if (sent != (ssize_t)batch->size) fail(step, sent < 0 ? errno : EMSGSIZE);
}

/** Waits for one answer, and takes those with it that are there: how many. */
static unsigned receive(const char* step) {
  const int received = recvmmsg(rtnl, answers, most_answers, MSG_WAITFORONE, NULL);
  if (received < 0) fail(step, errno);
  return (unsigned)received;
}

static int error_of(const struct nlmsghdr* message) {
  const struct nlmsgerr* ack = NLMSG_DATA(message);
  return -ack->error;
}

void exchange(struct batch* batch, const char* step, int tolerated, link_reader reader,
              void* context) {
  send_batch(batch, step);
  for (unsigned open = batch->count; open > 0;) {
    const unsigned received = receive(step);
    for (unsigned at = 0; at < received; at += 1) {
      size_t left = answers[at].msg_len;
      for (struct nlmsghdr* message = (struct nlmsghdr*)replies[at]; NLMSG_OK(message, left);
           message = NLMSG_NEXT(message, left)) {
        if (message->nlmsg_type == NLMSG_ERROR) {
          const int error = error_of(message);
          if (error != 0 && error != tolerated) fail(step, error);
          open -= 1;
        } else if (message->nlmsg_type == RTM_NEWLINK && reader != NULL) {
          reader(message, context);
        }
      }
    }
  }
  batch_clear(batch);
}

/** Whether the dump ends in it. */
static bool read_dumped(struct nlmsghdr* message, size_t left, link_reader reader, void* context) {
  for (; NLMSG_OK(message, left); message = NLMSG_NEXT(message, left)) {
    if (message->nlmsg_type == NLMSG_DONE) return true;
    if (message->nlmsg_type == NLMSG_ERROR) fail("list links", error_of(message));
    if (message->nlmsg_type == RTM_NEWLINK) reader(message, context);
  }
  return false;
}

void dump_links(link_reader reader, void* context) {
  static struct batch batch;
  batch_link(&batch, RTM_GETLINK, NLM_F_DUMP, 0);
  put_u32(&batch, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  send_batch(&batch, "list links");
  batch_clear(&batch);
  for (bool ended = false; !ended;) {
    const unsigned received = receive("list links");
    for (unsigned at = 0; at < received && !ended; at += 1) {
      ended = read_dumped((struct nlmsghdr*)replies[at], answers[at].msg_len, reader, context);
    }
  }
}

// ---- beside the socket of the process ----

static void* run_errand(void* context) {
  const struct errand* errand = context;
  _Alignas(NLMSG_ALIGNTO) unsigned char reply[1024];
  if (send(errand->fd, errand->bytes, errand->size, 0) < 0) fail(errand->step, errno);
  if (recv(errand->fd, reply, sizeof reply, 0) < 0) fail(errand->step, errno);
  const int error = error_of((struct nlmsghdr*)reply);
  if (error != 0) fail(errand->step, error);
  return NULL;
}

void begin_errand(struct errand* errand, struct batch* batch, const char* step) {
  if (batch->size > sizeof errand->bytes) fail(step, EMSGSIZE);
  errand->step = step;
  errand->size = batch->size;
  memcpy(errand->bytes, batch->bytes, batch->size);
  batch_clear(batch);
  errand->fd = open_socket(0);
  const int error = pthread_create(&errand->thread, NULL, run_errand, errand);
  if (error != 0) fail(step, error);
}

void end_errand(struct errand* errand) {
  pthread_join(errand->thread, NULL);
  close(errand->fd);
}

void hear_of_deletes(int fd, size_t count) {
  static _Alignas(NLMSG_ALIGNTO) unsigned char news[answer_room];
  while (count > 0) {
    const ssize_t size = recv(fd, news, sizeof news, 0);
    if (size < 0) fail("hear of deletes", errno);
    size_t left = (size_t)size;
    for (struct nlmsghdr* message = (struct nlmsghdr*)news; NLMSG_OK(message, left);
         message = NLMSG_NEXT(message, left)) {
      const struct ifinfomsg* info = NLMSG_DATA(message);
      // A port that leaves its bridge is told of as well, in the bridge's family.
      if (message->nlmsg_type == RTM_DELLINK && info->ifi_family == AF_UNSPEC) count -= 1;
    }
  }
}

// ---- links ----

static void copy_text(char* target, size_t room, const struct rtattr* attribute) {
  const size_t size = RTA_PAYLOAD(attribute);
  snprintf(target, room, "%.*s", (int)size, (const char*)RTA_DATA(attribute));
}

static void read_nested(struct rtattr* nest, uint16_t type, char* target, size_t room) {
  size_t left = RTA_PAYLOAD(nest);
  for (struct rtattr* inner = RTA_DATA(nest); RTA_OK(inner, left); inner = RTA_NEXT(inner, left)) {
    if (inner->rta_type == type) copy_text(target, room, inner);
  }
}

static void read_attribute(struct rtattr* attribute, struct link_facts* link) {
  const void* value = RTA_DATA(attribute);
  switch (attribute->rta_type & NLA_TYPE_MASK) {
    case IFLA_IFNAME:
      copy_text(link->name, sizeof link->name, attribute);
      break;
    case IFLA_IFALIAS:
      copy_text(link->alias, sizeof link->alias, attribute);
      break;
    case IFLA_ADDRESS:
      if (RTA_PAYLOAD(attribute) == sizeof link->mac) memcpy(link->mac, value, sizeof link->mac);
      break;
    case IFLA_MTU:
      memcpy(&link->mtu, value, sizeof link->mtu);
      break;
    case IFLA_TXQLEN:
      memcpy(&link->tx_queue_length, value, sizeof link->tx_queue_length);
      break;
    case IFLA_LINK:
      memcpy(&link->parent, value, sizeof link->parent);
      break;
    case IFLA_MASTER:
      memcpy(&link->master, value, sizeof link->master);
      break;
    case IFLA_LINKINFO:
      read_nested(attribute, IFLA_INFO_KIND, link->kind, sizeof link->kind);
      break;
    case IFLA_PROP_LIST:
      read_nested(attribute, IFLA_ALT_IFNAME, link->identity, sizeof link->identity);
      break;
    default:
      break;
  }
}

void read_link(const struct nlmsghdr* message, struct link_facts* link) {
  struct ifinfomsg* info = NLMSG_DATA(message);
  memset(link, 0, sizeof *link);
  link->index = (uint32_t)info->ifi_index;
  link->flags = info->ifi_flags;
  size_t left = IFLA_PAYLOAD(message);
  for (struct rtattr* attribute = IFLA_RTA(info); RTA_OK(attribute, left);
       attribute = RTA_NEXT(attribute, left)) {
    read_attribute(attribute, link);
  }
}
