#include "index/codec.hpp"

namespace entrepot::index {

RecordWriter& RecordWriter::text(std::string_view text) {
  number(static_cast<std::uint32_t>(text.size()));
  bytes_.append(text);
  return *this;
}

RecordWriter& RecordWriter::digest(const oci::Digest& digest) {
  number(static_cast<std::uint8_t>(digest.algorithm()));
  bytes_.append(base::as_text(digest.raw()));
  return *this;
}

RecordWriter& RecordWriter::optional_digest(const std::optional<oci::Digest>& digest) {
  return digest ? this->digest(*digest) : number(std::uint8_t{0});
}

RecordWriter& RecordWriter::time(base::WallTime time) {
  return number(static_cast<std::uint64_t>(time.time_since_epoch().count()));
}

base::ByteView RecordReader::take(std::size_t count) {
  if (!good_ || rest_.size() < count) {
    good_ = false;
    return {};
  }
  const auto taken = rest_.first(count);
  rest_ = rest_.subspan(count);
  return taken;
}

std::string_view RecordReader::text() { return base::as_text(take(number<std::uint32_t>())); }

std::optional<oci::Digest> RecordReader::digest() {
  auto digest = optional_digest();
  if (!digest) good_ = false;
  return digest;
}

std::optional<oci::Digest> RecordReader::optional_digest() {
  const auto tag = number<std::uint8_t>();
  if (!good_ || tag == 0) return std::nullopt;
  const auto algorithm = static_cast<oci::Algorithm>(tag);
  if (algorithm != oci::Algorithm::sha256 && algorithm != oci::Algorithm::sha512) {
    good_ = false;
    return std::nullopt;
  }
  const auto raw = take(oci::Digest::size_of(algorithm));
  return good_ ? oci::Digest::from_raw(algorithm, raw) : std::nullopt;
}

base::WallTime RecordReader::time() {
  return base::WallTime(base::Milliseconds(static_cast<std::int64_t>(number<std::uint64_t>())));
}

}  // namespace entrepot::index
