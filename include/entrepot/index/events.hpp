// Who changed something, and what others are told of it: event rows wait in the index, in the
// transaction of the change itself, until every receiver has them (room notify).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "entrepot/base/clock.hpp"
#include "entrepot/index/index.hpp"
#include "entrepot/oci/digest.hpp"

namespace entrepot::index {

// Whose doing a change is, for journal and events.
struct Actor {
  std::string name{};        // of the principal; empty: anonymous
  std::string address{};     // of the client
  std::string request_id{};  // of ours
  std::string method{};
  std::string host{};
  std::string user_agent{};
  std::string origin{};  // scheme://authority for links; may be empty
};

enum class EventKind : std::uint8_t { push = 1, pull = 2, removal = 3, tag_moved = 4, mount = 5 };

struct Event {
  std::uint64_t sequence = 0;  // from 1, assigned by append_event()
  base::WallTime time{};
  EventKind kind = EventKind::push;
  std::string repository{};
  std::string media_type{};
  std::uint64_t size = 0;
  std::optional<oci::Digest> digest{};
  std::string tag{};                  // empty: none
  std::optional<oci::Digest> from{};  // tag_moved: what it pointed to before
  std::string from_repository{};      // mount
  Actor actor{};
};

void append_event(Batch& batch, Event event);
// Up to `limit` rows with a sequence above `since`.
std::vector<Event> events(const View& view, std::uint64_t since, std::size_t limit);
// Drops rows up to and with `sequence`, at most `limit`; how many.
std::size_t drop_events(Batch& batch, std::uint64_t sequence, std::size_t limit);
std::uint64_t last_event(const View& view);
// How far a receiver has got; 0 when it is new.
std::uint64_t receiver_position(const View& view, const std::string& receiver);
void set_receiver_position(Batch& batch, const std::string& receiver, std::uint64_t sequence);

}  // namespace entrepot::index
