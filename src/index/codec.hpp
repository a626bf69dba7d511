// How a record's fields become bytes: a version byte, then fields in a fixed order; numbers are
// little-endian, texts carry their length in front.
//
// RecordReader is for bytes that may be damaged: it never reads past the end, allocates no more
// than the record is long, and answers nothing but "not good" once a field did not fit.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "entrepot/base/bytes.hpp"
#include "entrepot/base/clock.hpp"
#include "entrepot/oci/digest.hpp"

namespace entrepot::index {

class RecordWriter {
 public:
  explicit RecordWriter(std::uint8_t version) { number(version); }

  template <std::unsigned_integral T>
  RecordWriter& number(T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) {
      bytes_.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff));
    }
    return *this;
  }
  RecordWriter& text(std::string_view text);
  RecordWriter& digest(const oci::Digest& digest);
  RecordWriter& optional_digest(const std::optional<oci::Digest>& digest);
  RecordWriter& time(base::WallTime time);

  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class RecordReader {
 public:
  // A version other than `version` is not good.
  RecordReader(base::ByteView bytes, std::uint8_t version) : rest_(bytes) {
    if (number<std::uint8_t>() != version) good_ = false;
  }

  template <std::unsigned_integral T>
  T number() {
    const auto bytes = take(sizeof(T));
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      value |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    }
    return static_cast<T>(value);
  }
  // Points into the record.
  std::string_view text();
  std::optional<oci::Digest> digest();
  // A field that may stand empty; absent and good when it does.
  std::optional<oci::Digest> optional_digest();
  base::WallTime time();

  bool good() const { return good_; }
  // Good, and nothing is left over.
  bool complete() const { return good_ && rest_.empty(); }
  void refuse() { good_ = false; }

 private:
  // Empty, and not good from here on, when there are fewer.
  base::ByteView take(std::size_t count);

  base::ByteView rest_;
  bool good_ = true;
};

}  // namespace entrepot::index
