// Making links, all or nothing: what createMacvtap, createTap, createBridge and createVeth share.
//
// A device is made in two sends. The first makes it and marks it as ours, all in one system call,
// so that a killed process leaves nothing unmarked. Then the settings that rtnetlink can't make are
// written, and the second send sets the device up and reads it back. Calls that were made right
// after each other take each of these steps together, with one send for all of them; what a step
// throws for one is that one's failure, is undone at once, and is none of the others' business.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/operations/making.h"

namespace flintap {

// How often an index of the library's own choice is drawn before it gives up.
inline constexpr int kDraws = 16;

// Where the thread is to end in the middle, each is undone by itself, which waits in the kernel.
inline constexpr std::size_t kMostMadeTogether = 32;

// One call on its way. What kinds differ in is virtual, and may throw Failure.
struct Creation {
  // Whether the kernel was asked to make the link, and has said that it did.
  enum class Made : std::uint8_t { no, perhaps, yes };

  Creation(Job& of, std::vector<Making> links) : job(of), makings(std::move(links)) {}
  Creation(const Creation&) = delete;
  Creation& operator=(const Creation&) = delete;
  virtual ~Creation() = default;

  // After the look-up, before anything is made by a request.
  virtual void prepare(Context&) {}
  // The request that makes the link, and those that may stand in the same send after it.
  virtual void add_create(std::vector<netlink::Request>& batch);
  virtual void add_settings(std::vector<netlink::Request>& batch);
  // After the last moment at which the call can be given up.
  virtual void hand_over(Outcome&) {}
  // Makes undone what was made.
  virtual void undo(Context& context, Failure& failure);
  // Adds what takes a look-up.
  virtual void explain(Context&, Failure&) {}

  Job& job;
  std::vector<Making> makings;  // one; both ends of a veth
  // The parent or the bridge on which it is to be (null: none), why it fails where that is not
  // there, and what it was found to be.
  const Reference* on = nullptr;
  std::string_view absent;
  std::shared_ptr<const Link> base;
  bool looks_for_index = true;  // makes sure that its indexes are free
  bool alone = false;           // what becomes of it depends on what others do with the same base
  Made made = Made::no;
  std::vector<int> ipv6_errors;
};

using BeginCreation = std::function<std::unique_ptr<Creation>(Job&)>;

// Runs the calls, each with an outcome or a failure of its own, as if one after the other.
void create_together(Context& context, std::span<Job* const> jobs, const BeginCreation& begin);

}  // namespace flintap
