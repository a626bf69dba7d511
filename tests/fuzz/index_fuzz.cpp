// Keys and records of a damaged index: what decodes at all comes back the same from its own bytes,
// and nothing leads outside. The first byte chooses the record.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>

#include "index/event_record.hpp"
#include "index/keys.hpp"
#include "index/records.hpp"

namespace base = entrepot::base;
namespace facts = entrepot::index;

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Bytes of an older version, or fields in another order, become bytes of today: those stay.
template <class Decode, class Encode>
void settles(base::ByteView bytes, Decode decode, Encode encode) {
  const auto first = decode(bytes);
  if (!first) return;
  const auto written = encode(*first);
  const auto second = decode(base::as_bytes(written));
  require(second.has_value() && encode(*second) == written);
}

template <class Decode>
void settles(base::ByteView bytes, Decode decode) {
  settles(bytes, decode, [](const auto& record) { return facts::encode(record); });
}

void keys(base::ByteView bytes) {
  if (const auto digest = facts::digest_in_key(bytes, 0)) {
    const facts::Key key = facts::Key().digest(*digest);
    require(base::as_text(bytes).starts_with(base::as_text(key)));
    facts::digest_in_key(bytes, facts::key_size(*digest));
    facts::repository_in_key(bytes, facts::key_size(*digest));
  }
  if (const auto number = facts::number_in_key(bytes, 0)) {
    const facts::Key key = facts::Key().number(*number);
    require(base::as_text(bytes).starts_with(base::as_text(key)));
  }
}

void records(std::uint8_t which, base::ByteView bytes) {
  switch (which % 12) {
    case 0:
      return settles(bytes, facts::decode_tag);
    case 1:
      return settles(bytes, facts::decode_blob);
    case 2:
      return settles(bytes, facts::decode_blob_totals);
    case 3:
      return settles(bytes, facts::decode_link);
    case 4:
      return settles(bytes, facts::decode_usage);
    case 5:
      return settles(bytes, facts::decode_repository);
    case 6:
      return settles(bytes, facts::decode_manifest);
    case 7:
      return settles(bytes, facts::decode_edges);
    case 8:
      return settles(bytes, facts::decode_referrer);
    case 9:
      return settles(bytes, facts::decode_journal_row);
    case 10:
      return settles(bytes, facts::decode_event);
    default:
      settles(bytes, facts::decode_number, facts::encode_number);
      settles(bytes, facts::decode_time, facts::encode_time);
      settles(bytes, facts::decode_digest, facts::encode_digest);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
  keys(bytes);
  records(data[0], bytes);
  return 0;
}
