#include "transfer/bundle/prefixes.hpp"

#include <bit>

namespace entrepot::transfer {
namespace {

// Bits of a gap that stand as they are; what is above them counts in ones.
unsigned plain_bits(std::uint64_t count) {
  return count == 0 ? 0 : 64U - static_cast<unsigned>(std::bit_width(count));
}

class BitWriter {
 public:
  void put(bool bit) {
    if (at_ % 8 == 0) bytes_.push_back('\0');
    if (bit) bytes_.back() = static_cast<char>(bytes_.back() | (1 << (7 - at_ % 8)));
    ++at_;
  }
  void put_gap(std::uint64_t gap, unsigned plain) {
    for (auto above = gap >> plain; above > 0; --above) put(true);
    put(false);
    for (unsigned i = plain; i-- > 0;) put(((gap >> i) & 1U) != 0);
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
  std::uint64_t at_ = 0;
};

// Yields nothing more once it has run out.
class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : bytes_(bytes) {}

  std::optional<bool> take() {
    if (at_ / 8 >= bytes_.size()) return std::nullopt;
    const auto byte = static_cast<unsigned char>(bytes_[at_ / 8]);
    const auto shift = 7U - at_ % 8;
    ++at_;
    return ((byte >> shift) & 1U) != 0;
  }
  std::optional<std::uint64_t> take_gap(unsigned plain) {
    std::uint64_t gap = 0;
    const std::uint64_t most = plain == 64 ? 0 : ~std::uint64_t{0} >> plain;
    for (auto bit = take(); !bit || *bit; bit = take()) {
      if (!bit || gap == most) return std::nullopt;
      ++gap;
    }
    for (unsigned i = 0; i < plain; ++i) {
      const auto bit = take();
      if (!bit) return std::nullopt;
      gap = gap << 1U | static_cast<std::uint64_t>(*bit);
    }
    return gap;
  }
  // Nothing but the zeros that fill up the last byte.
  bool is_at_end() {
    if (bytes_.size() != (at_ + 7) / 8) return false;
    for (auto bit = take(); bit; bit = take()) {
      if (*bit) return false;
    }
    return true;
  }

 private:
  std::string_view bytes_;
  std::uint64_t at_ = 0;
};

}  // namespace

std::uint64_t prefix_of(const oci::Digest& digest) {
  std::uint64_t prefix = 0;
  for (const auto byte : digest.raw().first(8)) {
    prefix = prefix << 8U | std::to_integer<std::uint64_t>(byte);
  }
  return prefix;
}

std::uint64_t prefix_of(const oci::RepositoryName& repository, const std::optional<oci::Tag>& tag,
                        const oci::Digest& digest) {
  // Neither a name nor a tag has a blank.
  const auto text = repository.text() + ' ' + (tag ? tag->text() : "") + ' ' + digest.text();
  return prefix_of(oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(text)));
}

std::uint64_t prefix_of(const oci::RepositoryName& repository, const oci::Tag& tag) {
  const auto text = repository.text() + ' ' + tag.text();
  return prefix_of(oci::Digest::of(oci::Algorithm::sha256, base::as_bytes(text)));
}

std::string pack_prefixes(const std::vector<std::uint64_t>& ascending) {
  const auto plain = plain_bits(ascending.size());
  BitWriter bits;
  std::uint64_t least = 0;
  for (const auto number : ascending) {
    bits.put_gap(number - least, plain);
    least = number + 1;
  }
  return bits.take();
}

std::optional<std::vector<std::uint64_t>> unpack_prefixes(std::string_view bytes,
                                                          std::uint64_t count) {
  const auto plain = plain_bits(count);
  if (count > bytes.size() * 8 / (plain + 1)) return std::nullopt;
  std::vector<std::uint64_t> numbers;
  numbers.reserve(count);
  BitReader bits(bytes);
  std::uint64_t least = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto gap = bits.take_gap(plain);
    // After the greatest number of all there is no other.
    const bool full = i > 0 && least == 0;
    if (!gap || full || *gap > ~std::uint64_t{0} - least) return std::nullopt;
    numbers.push_back(least + *gap);
    least += *gap + 1;
  }
  return bits.is_at_end() ? std::optional(std::move(numbers)) : std::nullopt;
}

}  // namespace entrepot::transfer
