#include "index/event_record.hpp"

#include "index/codec.hpp"

namespace entrepot::index {
namespace {

constexpr std::uint8_t version = 1;

EventKind next_kind(RecordReader& reader) {
  const auto kind = reader.number<std::uint8_t>();
  if (kind < static_cast<std::uint8_t>(EventKind::push) ||
      kind > static_cast<std::uint8_t>(EventKind::mount)) {
    reader.refuse();
  }
  return static_cast<EventKind>(kind);
}

Actor next_actor(RecordReader& reader) {
  Actor actor;
  for (auto* field : {&actor.name, &actor.address, &actor.request_id, &actor.method, &actor.host,
                      &actor.user_agent, &actor.origin}) {
    *field = reader.text();
  }
  return actor;
}

}  // namespace

std::string encode(const Event& event) {
  const auto& actor = event.actor;
  return RecordWriter(version)
      .time(event.time)
      .number(static_cast<std::uint8_t>(event.kind))
      .text(event.repository)
      .text(event.media_type)
      .number(event.size)
      .optional_digest(event.digest)
      .text(event.tag)
      .optional_digest(event.from)
      .text(event.from_repository)
      .text(actor.name)
      .text(actor.address)
      .text(actor.request_id)
      .text(actor.method)
      .text(actor.host)
      .text(actor.user_agent)
      .text(actor.origin)
      .take();
}

std::optional<Event> decode_event(base::ByteView bytes) {
  RecordReader reader(bytes, version);
  Event event;
  event.time = reader.time();
  event.kind = next_kind(reader);
  event.repository = reader.text();
  event.media_type = reader.text();
  event.size = reader.number<std::uint64_t>();
  event.digest = reader.optional_digest();
  event.tag = reader.text();
  event.from = reader.optional_digest();
  event.from_repository = reader.text();
  event.actor = next_actor(reader);
  if (!reader.complete()) return std::nullopt;
  return event;
}

}  // namespace entrepot::index
