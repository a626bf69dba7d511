#include "entrepot/index/events.hpp"

#include "index/event_record.hpp"
#include "index/records.hpp"
#include "index/repositories.hpp"

namespace entrepot::index {

void append_event(Batch& batch, Event event) {
  event.sequence = last_event(batch) + 1;
  put_meta_number(batch, last_event_row, event.sequence);
  batch.put(Space::events, Key().number(event.sequence), base::as_bytes(encode(event)));
}

std::vector<Event> events(const View& view, std::uint64_t since, std::size_t limit) {
  std::vector<Event> found;
  if (limit == 0) return found;
  const Key start = Key().number(since);
  view.scan(Space::events, {}, start, [&](base::ByteView key, base::ByteView value) {
    auto event = intact(decode_event(value), "event");
    event.sequence = intact(number_in_key(key, 0), "event");
    found.push_back(std::move(event));
    return found.size() < limit ? Continue::yes : Continue::no;
  });
  return found;
}

std::size_t drop_events(Batch& batch, std::uint64_t sequence, std::size_t limit) {
  std::vector<std::uint64_t> gone;
  if (limit == 0) return 0;
  batch.scan(Space::events, {}, {}, [&](base::ByteView key, base::ByteView) {
    const auto number = intact(number_in_key(key, 0), "event");
    if (number > sequence) return Continue::no;
    gone.push_back(number);
    return gone.size() < limit ? Continue::yes : Continue::no;
  });
  for (const auto number : gone) batch.erase(Space::events, Key().number(number));
  return gone.size();
}

std::uint64_t last_event(const View& view) { return meta_number(view, last_event_row); }

std::uint64_t receiver_position(const View& view, const std::string& receiver) {
  const auto value = view.get(Space::receivers, base::as_bytes(receiver));
  return value ? intact(decode_number(*value), "receiver") : 0;
}

void set_receiver_position(Batch& batch, const std::string& receiver, std::uint64_t sequence) {
  batch.put(Space::receivers, base::as_bytes(receiver), base::as_bytes(encode_number(sequence)));
}

}  // namespace entrepot::index
