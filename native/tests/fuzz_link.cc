// Feeds any bytes to everything that reads what comes from the kernel. Run it by scripts/fuzz.mjs,
// which starts from the captured datagrams.
#include <linux/netlink.h>

#include <cstdint>
#include <cstdlib>

#include "core/failure.h"
#include "core/link/kind.h"
#include "core/link/link_event.h"
#include "core/link/requests.h"
#include "core/netlink/message.h"

using namespace flintap;

namespace {

// Walks the table of a record and of all records in it, as the conversion to JavaScript does.
void read_fields(const Record& record, const Schema& schema) {
  for (const Field& field : schema.fields) {
    if (field.get == nullptr) continue;
    const Value value = field.get(record);
    if (const auto* nested = std::get_if<Nested>(&value)) {
      read_fields(*nested->record, *nested->schema);
    }
  }
}

void read_frame(const netlink::Frame& frame) {
  const bool is_ack =
      frame.header.nlmsg_type == NLMSG_ERROR || frame.header.nlmsg_type == NLMSG_DONE;
  if (is_ack) static_cast<void>(netlink::read_ack(frame));
  if (const auto event = read_link_event(frame)) {
    if (event->port) read_fields(*event->port, *find_kind("bridge")->port);
    if (event->ipv6) read_fields(*event->ipv6, kIpv6Schema);
  }
  const auto link = read_link(frame, true);
  if (!link) return;
  read_fields(*link, kLinkSchema);
  if (compare(*link, *link, kLinkSchema)) std::abort();
  try {
    requests::create(*link);
  } catch (const Failure&) {
    // A text that filled its attribute has no room for a NUL.
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  netlink::FrameReader frames(std::as_bytes(std::span(data, size)));
  while (auto frame = frames.next()) read_frame(*frame);
  return 0;
}
