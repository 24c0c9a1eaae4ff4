#include "device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/pkt_sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "netlink.h"

// Since Linux 6.2; older headers lack it.
#ifndef IFF_NO_CARRIER
#define IFF_NO_CARRIER 0x0040
#endif

static struct batch batch;

// ---- what is new with every device ----

static void draw(void* target, size_t size) {
  if (getrandom(target, size, 0) != (ssize_t)size) fail("draw a random number", errno);
}

static void describe(const struct scene* scene, struct device* device) {
  unsigned char octets[32];
  draw(octets, sizeof octets);
  uint32_t number;
  memcpy(&number, octets, sizeof number);
  device->index = 1000001 + number % (INT32_MAX - 1000001);
  device->mac[0] = scene->macvtap ? 0x02 : 0xfe;
  memcpy(device->mac + 1, octets + 4, 5);
  snprintf(device->name, sizeof device->name, "%s%010x", scene->macvtap ? "bcvt" : "bctap", number);
  int at = snprintf(device->identity, sizeof device->identity, "flintap-");
  for (size_t octet = 16; octet < sizeof octets; octet += 1) {
    at += snprintf(device->identity + at, sizeof device->identity - (size_t)at, "%02x",
                   octets[octet]);
  }
}

/** A tag of the length that flintap's has. */
static void write_tag(const struct scene* scene, const struct device* device, char* tag,
                      size_t room) {
  const unsigned char* mac = device->mac;
  char guest[32] = "";
  if (scene->macvtap) {
    snprintf(guest, sizeof guest, "g=%02x:%02x:%02x:%02x:%02x:%02x;", mac[0], mac[1], mac[2],
             mac[3], mac[4], mac[5]);
  }
  snprintf(tag, room, "flintap1;bare-c0;%st=%lld;k=00000000-0000-4000-8000-000000000000", guest,
           (long long)time(NULL));
}

// ---- steps ----

/** What a look-up has found, in the order in which it was asked for. */
struct found {
  struct link_facts* links;
  size_t count;
  size_t room;
};

static void keep_link(const struct nlmsghdr* message, void* context) {
  struct found* found = context;
  if (found->count == found->room) fail("look up", E2BIG);
  read_link(message, &found->links[found->count++]);
}

static void ask_for(const char* name) {
  batch_link(&batch, RTM_GETLINK, 0, 0);
  put_text(&batch, IFLA_IFNAME, name);
  put_u32(&batch, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

/** The parent, and whether the indexes are free. */
static struct link_facts look_up_parent(const struct device* devices, size_t count) {
  for (size_t at = 0; at < count; at += 1) {
    batch_link(&batch, RTM_GETLINK, 0, devices[at].index);
    put_u32(&batch, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  }
  ask_for("parent0");
  struct link_facts parent;
  struct found found = {.links = &parent, .room = 1};
  exchange(&batch, "look up", ENODEV, keep_link, &found);
  if (found.count != 1) fail("look up", ENODEV);
  return parent;
}

/** Taps go on a bridge 128 in a row; the same that flintap's peer chooses for the same place. */
static unsigned bridge_of(const struct scene* scene, size_t place) {
  return (unsigned)(place / 128 % scene->bridges);
}

/** Each device's bridge: those in a row are on one, which is looked up once. */
static void look_up_bridges(const struct scene* scene, size_t place, size_t count,
                            uint32_t* masters) {
  struct link_facts bridges[made_together];
  struct found found = {.links = bridges, .room = made_together};
  size_t asked = 0;
  size_t which[made_together];
  for (size_t at = 0; at < count; at += 1) {
    const unsigned bridge = bridge_of(scene, place + at);
    if (at == 0 || bridge != bridge_of(scene, place + at - 1)) {
      char name[IFNAMSIZ];
      snprintf(name, sizeof name, "br%u", bridge);
      ask_for(name);
      asked += 1;
    }
    which[at] = asked - 1;
  }
  exchange(&batch, "look up", 0, keep_link, &found);
  if (found.count != asked) fail("look up", ENODEV);
  for (size_t at = 0; at < count; at += 1) masters[at] = bridges[which[at]].index;
}

static void add_macvtap(const struct device* device, const struct link_facts* parent) {
  batch_link(&batch, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, device->index);
  put_text(&batch, IFLA_IFNAME, device->name);
  put(&batch, IFLA_ADDRESS, device->mac, sizeof device->mac);
  put_u32(&batch, IFLA_LINK, parent->index);
  put_u32(&batch, IFLA_MTU, parent->mtu);
  put_u32(&batch, IFLA_TXQLEN, parent->tx_queue_length);
  const size_t info = put_nest(&batch, IFLA_LINKINFO);
  put_text(&batch, IFLA_INFO_KIND, "macvtap");
  const size_t data = put_nest(&batch, IFLA_INFO_DATA);
  put_u32(&batch, IFLA_MACVLAN_MODE, MACVLAN_MODE_BRIDGE);
  put_end(&batch, data);
  put_end(&batch, info);
}

static void add_marks(const struct scene* scene, const struct device* device) {
  batch_link(&batch, RTM_NEWLINKPROP, NLM_F_CREATE | NLM_F_EXCL, device->index);
  const size_t names = put_nest(&batch, IFLA_PROP_LIST | NLA_F_NESTED);
  put_text(&batch, IFLA_ALT_IFNAME, device->identity);
  put_end(&batch, names);
  char tag[256];
  write_tag(scene, device, tag, sizeof tag);
  batch_link(&batch, RTM_SETLINK, 0, device->index);
  put_text(&batch, IFLA_IFALIAS, tag);
}

static int open_tap(const struct scene* scene, const struct device* device) {
  const int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) fail("open /dev/net/tun", errno);
  unsigned index = device->index;
  if (ioctl(fd, TUNSETIFINDEX, &index) < 0) fail("choose the index", errno);
  struct ifreq request = {0};
  memcpy(request.ifr_name, device->name, sizeof device->name);
  request.ifr_flags = (short)(IFF_TAP | IFF_NO_PI | IFF_TUN_EXCL | IFF_NO_CARRIER |
                              (scene->multi_queue ? IFF_MULTI_QUEUE : 0));
  if (ioctl(fd, TUNSETIFF, &request) < 0) fail("make a tap", errno);
  if (ioctl(fd, TUNSETOWNER, (unsigned long)geteuid()) < 0) fail("set the owner", errno);
  return fd;
}

static void set_noqueue(const struct device* device) {
  struct tcmsg* root =
      batch_request(&batch, RTM_NEWQDISC, NLM_F_CREATE | NLM_F_REPLACE, sizeof *root);
  root->tcm_ifindex = (int)device->index;
  root->tcm_parent = TC_H_ROOT;
  put_text(&batch, TCA_KIND, "noqueue");
}

static void add_tap_settings(const struct scene* scene, const struct device* device,
                             uint32_t master) {
  add_marks(scene, device);
  batch_link(&batch, RTM_SETLINK, 0, device->index);
  put(&batch, IFLA_ADDRESS, device->mac, sizeof device->mac);
  batch_link(&batch, RTM_SETLINK, 0, device->index);
  put_u32(&batch, IFLA_MASTER, master);
  if (scene->noqueue) set_noqueue(device);
}

static void close_ipv6(const struct device* device) {
  char path[96];
  snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", device->name);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0 || write(fd, "1", 1) != 1) fail("close the host's IPv6", errno);
  close(fd);
}

static void check_link(const struct nlmsghdr* message, void* context) {
  struct link_facts link;
  read_link(message, &link);
  unsigned* up = context;
  if ((link.flags & IFF_UP) != 0 && link.identity[0] != 0 && link.alias[0] != 0) *up += 1;
}

/** The last send of both kinds: up, and read back. */
static void finish(const struct scene* scene, const struct device* devices, size_t count) {
  for (size_t at = 0; scene->closes_ipv6 && at < count; at += 1) close_ipv6(&devices[at]);
  for (size_t at = 0; at < count; at += 1) {
    struct ifinfomsg* info = batch_link(&batch, RTM_SETLINK, 0, devices[at].index);
    info->ifi_change = info->ifi_flags = IFF_UP;
    batch_link(&batch, RTM_GETLINK, 0, devices[at].index);
    put_u32(&batch, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  }
  unsigned up = 0;
  exchange(&batch, "set up", 0, check_link, &up);
  if (up != count) fail("read back", EIO);
}

static void make_macvtaps(const struct scene* scene, const struct device* devices, size_t count) {
  const struct link_facts parent = look_up_parent(devices, count);
  for (size_t at = 0; at < count; at += 1) {
    add_macvtap(&devices[at], &parent);
    add_marks(scene, &devices[at]);
  }
  exchange(&batch, "make macvtaps", 0, NULL, NULL);
  finish(scene, devices, count);
}

static void make_taps(const struct scene* scene, const struct device* devices, size_t place,
                      size_t count) {
  uint32_t masters[made_together];
  look_up_bridges(scene, place, count, masters);
  int queues[made_together];
  for (size_t at = 0; at < count; at += 1) {
    queues[at] = open_tap(scene, &devices[at]);
    add_tap_settings(scene, &devices[at], masters[at]);
  }
  exchange(&batch, "set the taps", 0, NULL, NULL);
  finish(scene, devices, count);
  for (size_t at = 0; at < count; at += 1) {
    if (ioctl(queues[at], TUNSETPERSIST, 1) < 0) fail("make a tap persistent", errno);
    close(queues[at]);
  }
}

void make_devices(const struct scene* scene, struct device* devices, size_t from, size_t to,
                  size_t chunk) {
  for (size_t place = from; place < to; place += chunk) {
    const size_t size = to - place < chunk ? to - place : chunk;
    for (size_t at = 0; at < size; at += 1) describe(scene, &devices[place + at]);
    if (scene->macvtap) {
      make_macvtaps(scene, devices + place, size);
    } else {
      make_taps(scene, devices + place, place, size);
    }
  }
}

// ---- deleting ----

static void count_link(const struct nlmsghdr* message, void* context) {
  struct link_facts link;
  read_link(message, &link);
  *(size_t*)context += link.identity[0] != 0;
}

/** Whether they are there, and what they are. */
static void look_up_again(const struct device* devices, size_t count) {
  for (size_t at = 0; at < count; at += 1) {
    batch_link(&batch, RTM_GETLINK, 0, 0);
    put_text(&batch, IFLA_ALT_IFNAME, devices[at].identity);
    put_u32(&batch, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  }
  size_t found = 0;
  exchange(&batch, "look up before a delete", 0, count_link, &found);
  if (found != count) fail("look up before a delete", ENODEV);
}

/** Into one that nobody has. */
static uint32_t put_into_group(const struct device* devices, size_t count) {
  uint32_t group;
  draw(&group, sizeof group);
  group |= 0x80000000;
  for (size_t at = 0; at < count; at += 1) {
    batch_link(&batch, RTM_SETLINK, 0, 0);
    put_text(&batch, IFLA_ALT_IFNAME, devices[at].identity);
    put_u32(&batch, IFLA_GROUP, group);
  }
  exchange(&batch, "put links into a group", 0, NULL, NULL);
  return group;
}

/** As many as flintap has at most. */
enum { most_errands = 8 };

/** Until the links are gone: the kernel keeps who deletes them for some 20 ms more. */
static void delete_chunk(const struct device* devices, size_t count) {
  static struct errand errands[most_errands];
  static size_t begun;
  look_up_again(devices, count);
  const int listening = open_socket(RTMGRP_LINK);
  const uint32_t group = count > 1 ? put_into_group(devices, count) : 0;
  struct errand* errand = &errands[begun % most_errands];
  if (begun >= most_errands) end_errand(errand);
  batch_link(&batch, RTM_DELLINK, 0, 0);
  if (count > 1) {
    put_u32(&batch, IFLA_GROUP, group);
  } else {
    put_text(&batch, IFLA_ALT_IFNAME, devices[0].identity);
  }
  begin_errand(errand, &batch, "delete a chunk");
  begun += 1;
  hear_of_deletes(listening, count);
  close(listening);
}

void delete_together(const struct device* devices, size_t count) {
  for (size_t from = 0; from < count; from += deleted_together) {
    const size_t left = count - from;
    delete_chunk(devices + from, left < deleted_together ? left : deleted_together);
  }
}

void delete_one(const struct device* device) {
  look_up_again(device, 1);
  batch_link(&batch, RTM_DELLINK, 0, 0);
  put_text(&batch, IFLA_ALT_IFNAME, device->identity);
  exchange(&batch, "delete a link", 0, NULL, NULL);
}
